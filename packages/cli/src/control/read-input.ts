import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import type { CommandContext, TextSource } from '../command.ts';
import { controlErrors } from './errors.ts';
import { controlLimits } from './limits.ts';

/** What a file or stdin is read with. */
type InputContext = Pick<CommandContext, 'stdin' | 'workingDirectory'>;

/**
 * What the user gives as a value: a text, `@FILE` for what a file holds, `@-` for what comes on stdin, and `@@` before a
 * text that begins with an `@` itself. Rejects with INPUT_UNREADABLE or INPUT_TOO_LARGE.
 */
export async function readInput(text: string, context: InputContext, signal: AbortSignal): Promise<Buffer> {
  if (text.startsWith('@@')) return Buffer.from(text.slice(1));
  if (!text.startsWith('@')) return Buffer.from(text);
  return readAll(text.slice(1), ", or begin with '@@' for a text that begins with '@'", context, signal);
}

/** What the file of this name holds; `-` is stdin. Rejects as `readInput` does. */
export function readInputFile(name: string, context: InputContext, signal: AbortSignal): Promise<Buffer> {
  return readAll(name, '', context, signal);
}

const emptySource: TextSource = { async *[Symbol.asyncIterator]() {} };

/** `hint` is what else the user may have meant by the name of a file. */
async function readAll(
  name: string,
  hint: string,
  { stdin = emptySource, workingDirectory }: InputContext,
  signal: AbortSignal,
): Promise<Buffer> {
  const path = name === '-' ? 'stdin' : resolve(workingDirectory, name);
  const source = name === '-' ? stdin : createReadStream(path);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of untilAborted(source, signal)) {
      const bytes = Buffer.from(chunk);
      sizeBytes += bytes.length;
      if (sizeBytes > controlLimits.maxInputBytes)
        throw controlErrors.create('INPUT_TOO_LARGE', { path, limit: controlLimits.maxInputBytes });
      chunks.push(bytes);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (isPlatformError(error)) throw error;
    throw controlErrors.create('INPUT_UNREADABLE', { path, reason: messageOf(error), hint }, error);
  }
  return Buffer.concat(chunks);
}

/** A person at a terminal may never end what they type: an abort ends the reading. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([iterator.next(), aborted]);
    if (next.done) return;
    yield next.value;
  }
}
