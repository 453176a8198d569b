import { describe, expect, it } from 'vitest';
import { readProgress } from './engine-progress.ts';

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('readProgress', () => {
  it('is done when no line tells an error', async () => {
    expect(await readProgress(pieces('{"status":"Pulling"}\r\n{"stre', 'am":"Step 1"}\n'))).toEqual({ kind: 'done' });
    expect(await readProgress(pieces())).toEqual({ kind: 'done' });
  });

  it('tells the first error, and the end of what was printed', async () => {
    const lines = ['{"stream":"Step 1\\n"}\n{"stream":"oh no\\n"}\n', '{"error":"code: 3"}\n{"error":"later"}'];
    const progress = await readProgress(pieces(...lines));
    expect(progress).toEqual({ kind: 'failed', reason: 'code: 3', tail: 'Step 1\noh no' });
  });

  it('bounds what it keeps of long output, and lives with lines that are no JSON', async () => {
    const flood = `${'x'.repeat(5_000)}\n`;
    const progress = await readProgress(pieces(flood, '{"error":"e"}\n'));
    expect(progress.kind === 'failed' && progress.tail.length).toBe(1_999);
    expect(await readProgress(pieces('{"stream":7,"error":["no text"]}\n'))).toEqual({ kind: 'done' });
  });
});
