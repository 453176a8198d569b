/** The Azure SDKs are optional: what nobody configures is neither installed nor loaded. */
import { computeErrors } from '../../errors.ts';

/** What Node says of a package that is not there. */
const missingCodes = new Set(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);

/**
 * Loads a package when it is needed.
 * @throws PlatformError SDK_MISSING, which names the package to install
 */
export async function loadSdk<T>(purpose: string, packageName: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (thrown) {
    const { code } = thrown as { readonly code?: unknown };
    if (typeof code !== 'string' || !missingCodes.has(code)) throw thrown;
    throw computeErrors.create('SDK_MISSING', { purpose, package: packageName }, thrown);
  }
}
