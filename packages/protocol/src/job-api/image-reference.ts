/**
 * Names of images, in the form in which engines resolve them: `busybox` is `docker.io/library/busybox:latest`. Working on
 * the full form alone keeps a short name from meaning one thing to an allow list and another to the engine.
 */

/** A parsed reference. */
export interface ImageReference {
  /** Registry and path, such as `docker.io/library/busybox`; empty for an image named by its id. */
  readonly repository: string;
  /** `latest` when neither tag nor digest was written; undefined when a digest alone names the image. */
  readonly tag: string | undefined;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string | undefined;
}

/** Longer than any registry allows. */
export const maxImageReferenceLength = 512;

const hostPattern =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d{1,5})?$/;
const segmentPattern = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Reads a reference; undefined when it is none. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > maxImageReferenceLength) return undefined;
  if (digestPattern.test(text)) return { repository: '', tag: undefined, digest: text };
  const [named = '', digest, ...excess] = text.split('@');
  if (excess.length > 0 || (digest !== undefined && !digestPattern.test(digest))) return undefined;
  const colon = named.lastIndexOf(':');
  const hasTag = colon > named.lastIndexOf('/');
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  const repository = fullRepository(hasTag ? named.slice(0, colon) : named);
  if (repository === undefined) return undefined;
  return { repository, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** The full form, as it is handed to the engine. */
export function formatImageReference({ repository, tag, digest }: ImageReference): string {
  if (repository === '') return digest ?? '';
  return `${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

function fullRepository(name: string): string | undefined {
  const segments = name.split('/');
  const [first = ''] = segments;
  const hasHost = segments.length > 1 && (/[.:]/.test(first) || first === 'localhost' || /[A-Z]/.test(first));
  const path = hasHost ? segments.slice(1) : segments;
  if (hasHost && !hostPattern.test(first)) return undefined;
  if (!path.every((segment) => segmentPattern.test(segment))) return undefined;
  if (hasHost) return name;
  return `docker.io/${path.length === 1 ? `library/${name}` : name}`;
}
