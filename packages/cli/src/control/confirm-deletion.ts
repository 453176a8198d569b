import { createInterface } from 'node:readline/promises';
import { Readable } from 'node:stream';
import type { CommandContext } from '../command.ts';
import { controlErrors } from './errors.ts';

/** Has the user type the app's name. Rejects with DELETE_UNCONFIRMED when that does not come, or nobody is there to ask. */
export async function confirmDeletion(
  app: string,
  { stdin, stderr }: Pick<CommandContext, 'stdin' | 'stderr'>,
  signal: AbortSignal,
): Promise<void> {
  if (stdin?.isTTY !== true) throw unconfirmed(app, 'nobody is there who could be asked');
  stderr.write(`This ends app '${app}' and forgets its versions, settings and keys. Type its name to go on: `);
  const typed = await readLine(stdin, signal);
  if (typed?.trim() !== app) throw unconfirmed(app, 'what was typed is not its name');
}

async function readLine(stdin: AsyncIterable<Uint8Array | string>, signal: AbortSignal): Promise<string | undefined> {
  const input = stdin instanceof Readable ? stdin : Readable.from(stdin);
  const lines = createInterface({ input, signal });
  try {
    for await (const line of lines) return line;
    signal.throwIfAborted();
    return undefined;
  } finally {
    lines.close();
  }
}

function unconfirmed(app: string, reason: string): Error {
  return controlErrors.create('DELETE_UNCONFIRMED', { app, reason });
}
