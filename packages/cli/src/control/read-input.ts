import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import type { CommandContext, TextSource } from '../command.ts';
import { controlErrors } from './errors.ts';
import { controlLimits } from './limits.ts';

/**
 * What the user gives as a value: a text, `@FILE` for what a file holds, `@-` for what comes on stdin, and `@@` before a
 * text that begins with an `@` itself. Rejects with INPUT_UNREADABLE.
 */
export async function readInput(
  text: string,
  { stdin, workingDirectory }: Pick<CommandContext, 'stdin' | 'workingDirectory'>,
  signal: AbortSignal,
): Promise<Buffer> {
  if (text.startsWith('@@')) return Buffer.from(text.slice(1));
  if (!text.startsWith('@')) return Buffer.from(text);
  const name = text.slice(1);
  if (name === '-') return readAll(stdin ?? emptySource, 'stdin', signal);
  const path = resolve(workingDirectory, name);
  return readAll(createReadStream(path), path, signal);
}

const emptySource: TextSource = { async *[Symbol.asyncIterator]() {} };

async function readAll(source: TextSource, path: string, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of untilAborted(source, signal)) {
      const bytes = Buffer.from(chunk);
      sizeBytes += bytes.length;
      if (sizeBytes > controlLimits.maxInputBytes)
        throw new RangeError(`it has more than ${controlLimits.maxInputBytes} bytes`);
      chunks.push(bytes);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const hint = path === 'stdin' ? '' : ", or begin with '@@' for a text that begins with '@'";
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
