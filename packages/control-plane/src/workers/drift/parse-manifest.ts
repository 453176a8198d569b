/** From the text of a manifest (YAML or JSON) to a manifest, or what is wrong with it. */
import { type Manifest, manifestSchema } from '@switchyard/protocol/control-api';
import { parseDocument } from 'yaml';

export type ManifestReading =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'invalid'; readonly reason: string; readonly path: string };

/** Aliases of YAML that one manifest may have; more are an attack. */
const maxAliases = 50;

export function parseManifest(text: string): ManifestReading {
  const document = parseDocument(text, { uniqueKeys: true });
  const [fault] = document.errors;
  if (fault !== undefined)
    return { kind: 'invalid', reason: fault.message.split('\n')[0] ?? 'it is no YAML', path: '' };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: maxAliases });
  } catch (thrown) {
    return { kind: 'invalid', reason: thrown instanceof Error ? thrown.message : 'it is no YAML', path: '' };
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return { kind: 'manifest', manifest: parsed.data };
  const [issue] = parsed.error.issues;
  return { kind: 'invalid', reason: issue?.message ?? 'it is no manifest', path: issue?.path.join('.') ?? '' };
}
