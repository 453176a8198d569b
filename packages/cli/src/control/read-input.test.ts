import { createDeferred } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { controlLimits } from './limits.ts';
import { readInput, readInputFile } from './read-input.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const never = new AbortController().signal;

const read = async (text: string, stdin?: AsyncIterable<string | Uint8Array>, signal = never) =>
  (
    await readInput(text, { workingDirectory: folder.path, ...(stdin === undefined ? {} : { stdin }) }, signal)
  ).toString();

describe('readInput', () => {
  it('takes texts as they are', async () => {
    for (const text of ['', 'a', 'a@b', '-']) expect(await read(text)).toBe(text);
    expect(await read('@@a')).toBe('@a');
    expect(await read('@@@a')).toBe('@@a');
  });

  it('reads files and stdin', async () => {
    await folder.write({ 'a.txt': 'from file\n' });
    expect(await read('@a.txt')).toBe('from file\n');
    const stdin = async function* () {
      yield 'from ';
      yield Buffer.from('stdin');
    };
    expect(await read('@-', stdin())).toBe('from stdin');
    expect(await read('@-')).toBe('');
  });

  it('says what it cannot read', async () => {
    await expect(read('@missing')).rejects.toThrow(/missing' cannot be read: ENOENT.* or begin with '@@' for a text/);
    const context = { workingDirectory: folder.path };
    await expect(readInputFile('missing', context, never)).rejects.toThrow(/ENOENT.*\. Name a file that is there\.$/);
    await expect(read('@.')).rejects.toThrow('EISDIR');
    const flood = async function* () {
      for (;;) yield new Uint8Array(controlLimits.maxInputBytes / 4);
    };
    await expect(read('@-', flood())).rejects.toThrow(
      `'stdin' cannot be used: it has more than ${controlLimits.maxInputBytes} bytes. Give less of it.`,
    );
  });

  it('does not wait for a person who has asked it to stop', async () => {
    const reading = createDeferred<void>();
    const stdin = async function* () {
      reading.resolve();
      await new Promise<never>(() => {});
      yield '';
    };
    const stop = new AbortController();
    const running = read('@-', stdin(), stop.signal);
    await reading.promise;
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});
