import { createHash } from 'node:crypto';

/** A name that begins with a letter and holds a-z, 0-9 and single dashes: what resources of clusters and clouds may be called. */
const plainName = /^[a-z](?:-?[a-z0-9])*$/;

/** The id itself where it may be such a name, else its beginning with a digest; the same id always has the same name. */
export function resourceNameOf(id: string, maxLength: number): string {
  if (id.length >= 2 && id.length <= maxLength && plainName.test(id)) return id;
  const digest = shortDigestOf(id);
  const beginning = id
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, maxLength - digest.length - 3)
    .replace(/^-+|-+$/g, '');
  return beginning === '' ? `s-${digest}` : `s-${beginning}-${digest}`;
}

/** Ten digits that tell texts apart. Not for secrets: whoever guesses the text can check it. */
export function shortDigestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
