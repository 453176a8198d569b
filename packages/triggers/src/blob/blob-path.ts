/** Where a blob is: `container/name`, the name with all its slashes. */

export interface BlobPath {
  readonly container: string;
  readonly blob: string;
}

export type BlobPathResult =
  | { readonly kind: 'path'; readonly path: BlobPath }
  | { readonly kind: 'invalid'; readonly reason: string };

/** 3 to 63 lower-case letters, digits and single dashes, with a letter or digit at both ends; or one of the service's own. */
const containerPattern = /^(?:(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*|\$root|\$web|\$logs)$/;

/** The longest name, in characters. */
const maxNameLength = 1_024;

/** The most parts between slashes. */
const maxSegments = 254;

export function formatBlobPath({ container, blob }: BlobPath): string {
  return `${container}/${blob}`;
}

/** Reads `container/name`, or the address of a blob, as events from Azure carry it. */
export function parseBlobPath(text: string): BlobPathResult {
  const path = /^https?:\/\//i.test(text) ? pathOfAddress(text) : text;
  if (path === undefined) return invalid('it is no address of a blob');
  const slash = path.indexOf('/');
  if (slash <= 0 || slash === path.length - 1) return invalid('it needs a container, a slash and a name');
  const container = path.slice(0, slash);
  const blob = path.slice(slash + 1);
  const reason = containerProblem(container) ?? nameProblem(blob);
  return reason === undefined ? { kind: 'path', path: { container, blob } } : invalid(reason);
}

/** What is wrong with the name of a container, if anything is. */
export function containerProblem(name: string): string | undefined {
  if (containerPattern.test(name)) return undefined;
  return `'${name}' is no name of a container, which has 3 to 63 lower-case letters, digits and single dashes`;
}

/** What is wrong with the name of a blob, if anything is. */
export function nameProblem(name: string): string | undefined {
  if (name.length > maxNameLength) return `its name has ${name.length} characters, more than ${maxNameLength}`;
  if (name.split('/').length > maxSegments) return `its name has more than ${maxSegments} parts`;
  if (name.includes('\\')) return 'its name has a backslash; write "/"';
  return undefined;
}

/** Container and name from an address; on a machine of one's own the account is the first part of the path. */
function pathOfAddress(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null) return undefined;
  try {
    const path = decodeURIComponent(url.pathname).replace(/^\//, '');
    const isPathStyle = /^(?:localhost|\[.*\]|\d+\.\d+\.\d+\.\d+)$/.test(url.hostname);
    return isPathStyle ? path.slice(path.indexOf('/') + 1) : path;
  } catch {
    return undefined;
  }
}

function invalid(reason: string): BlobPathResult {
  return { kind: 'invalid', reason };
}
