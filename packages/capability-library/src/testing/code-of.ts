import { isPlatformError } from '@switchyard/kernel';

/** The code that a call fails with; undefined when it does not fail. Other errors are thrown on. */
export async function codeOf(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isPlatformError(error)) return error.code;
    throw error;
  }
}
