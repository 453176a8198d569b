import type { StatusView } from '@switchyard/protocol/control-api';
import { controlErrors } from './errors.ts';

/** Stands for the version that was deployed last. */
export const latestVersion = 'latest';

/** The version whose name begins as the user wrote, or the latest. Throws CONTROL_VERSION_UNKNOWN or CONTROL_VERSION_AMBIGUOUS. */
export function resolveVersion({ application, versions }: StatusView, written: string): string {
  const app = application.applicationId;
  const names = versions.map(({ codeVersion }) => codeVersion);
  const wanted = written.toLowerCase();
  const [newest] = names;
  if (wanted === latestVersion && newest !== undefined) return newest;
  const found = wanted === '' ? [] : names.filter((name) => name.startsWith(wanted));
  const [version] = found;
  if (version !== undefined && found.length === 1) return version;
  const details = { app, version: written.slice(0, 80) };
  if (found.length > 1)
    throw controlErrors.create('CONTROL_VERSION_AMBIGUOUS', { ...details, versions: found.join(', ') });
  const known = names.length === 0 ? 'It has none yet: deploy it.' : `It has: ${names.join(', ')}.`;
  throw controlErrors.create('CONTROL_VERSION_UNKNOWN', { ...details, versions: known });
}
