/** Reads a manifest from a file or from stdin; whatever is wrong with it is told before anything is sent. */
import { type Manifest, manifestSchema } from '@switchyard/protocol/control-api';
import { parseDocument } from 'yaml';
import type { CommandContext } from '../command.ts';
import { controlErrors } from './errors.ts';
import { readInputFile } from './read-input.ts';

/** Aliases of YAML that one manifest may have. */
const maxAliases = 50;

/** `-` is stdin. @throws PlatformError INPUT_UNREADABLE, INPUT_TOO_LARGE, MANIFEST_UNREADABLE */
export async function readManifest(
  file: string,
  context: Pick<CommandContext, 'stdin' | 'workingDirectory'>,
  signal: AbortSignal,
): Promise<Manifest> {
  const text = (await readInputFile(file, context, signal)).toString('utf8');
  const name = file === '-' ? 'stdin' : file;
  const value = toValue(name, text);
  if (value === null) throw controlErrors.create('MANIFEST_UNREADABLE', { file: name, reason: 'it is empty' });
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = issue === undefined || issue.path.length === 0 ? 'the top' : `'${issue.path.join('.')}'`;
  const reason = `at ${at}: ${issue?.message ?? 'it is none'}`;
  throw controlErrors.create('MANIFEST_UNREADABLE', { file: name, reason });
}

function toValue(file: string, text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: true });
  const [fault] = document.errors;
  try {
    if (fault === undefined) return document.toJS({ maxAliasCount: maxAliases });
  } catch (thrown) {
    throw controlErrors.create('MANIFEST_UNREADABLE', { file, reason: String(thrown) });
  }
  throw controlErrors.create('MANIFEST_UNREADABLE', { file, reason: fault.message.split('\n')[0] ?? '' });
}
