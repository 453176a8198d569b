/**
 * Which images may run. A pattern is an image reference in which `*` stands for anything but a slash and `**` for
 * anything; `*` alone allows every image. Without a tag it means every tag and digest, with one that tag alone; with a
 * digest, that content alone. Patterns and references are compared in their full form (`busybox` is
 * `docker.io/library/busybox`), so that no short name slips past.
 */
import { type ImageReference, parseImageReference } from '@switchyard/protocol/job-api';

/** A readable pattern. */
interface ImagePattern {
  readonly repository: RegExp;
  readonly tag: RegExp | undefined;
  readonly digest: string | undefined;
}

/** True for a text that `isImageAllowed` understands. */
export function isImagePattern(text: string): boolean {
  return text === '*' || readPattern(text) !== undefined;
}

/** True when one of the patterns allows the image. A reference that is none is not allowed. */
export function isImageAllowed(image: string, patterns: readonly string[]): boolean {
  const reference = parseImageReference(image);
  if (reference === undefined) return false;
  return patterns.some((text) => {
    if (text === '*') return true;
    const pattern = readPattern(text);
    return pattern !== undefined && fits(reference, pattern);
  });
}

function fits({ repository, tag, digest }: ImageReference, pattern: ImagePattern): boolean {
  if (pattern.digest !== undefined && pattern.digest !== digest) return false;
  // The engine looks at the digest alone when there is one, so the tag beside it proves nothing.
  if (pattern.tag !== undefined && pattern.digest === undefined && digest !== undefined) return false;
  if (pattern.tag !== undefined && pattern.digest === undefined && !pattern.tag.test(tag ?? '')) return false;
  return pattern.repository.test(repository);
}

/** The stand-ins for stars while a pattern is read as a reference; no reference of a user holds them by chance. */
const one = 'zzstarzz';
const any = 'zzglobzz';

function readPattern(text: string): ImagePattern | undefined {
  if (text.includes(one) || text.includes(any)) return undefined;
  const marked = text.replaceAll('**', any).replaceAll('*', one);
  const startsOpen = marked.startsWith(any);
  const reference = parseImageReference(startsOpen ? `any.example/${marked}` : marked);
  if (reference === undefined) return undefined;
  const repository = startsOpen ? reference.repository.slice('any.example/'.length) : reference.repository;
  const hasTag = /:[^/]*$/.test(text.split('@')[0] ?? '');
  return {
    repository: toPattern(repository),
    tag: hasTag && reference.tag !== undefined ? toPattern(reference.tag) : undefined,
    digest: reference.digest,
  };
}

function toPattern(text: string): RegExp {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll(any, '.*').replaceAll(one, '[^/]*')}$`);
}
