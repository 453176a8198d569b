/** Reads the lines of JSON that the engine writes while it pulls or builds. */

/** How it ended. */
export type Progress =
  | { readonly kind: 'done' }
  /** `tail` is the end of what was printed. */
  | { readonly kind: 'failed'; readonly reason: string; readonly tail: string };

const maxTailCharacters = 2_000;
const maxLineCharacters = 1_000_000;

/** Reads to the end; rejects when the connection breaks. */
export async function readProgress(body: AsyncIterable<Uint8Array>): Promise<Progress> {
  const decoder = new TextDecoder();
  let open = '';
  let tail = '';
  let reason: string | undefined;
  const take = (line: string): void => {
    const message = parseLine(line);
    tail = (tail + message.stream).slice(-maxTailCharacters);
    reason ??= message.error;
  };
  for await (const chunk of body) {
    const lines = (open + decoder.decode(chunk, { stream: true })).split('\n');
    open = (lines.pop() ?? '').slice(0, maxLineCharacters);
    for (const line of lines) take(line);
  }
  take(open);
  return reason === undefined ? { kind: 'done' } : { kind: 'failed', reason, tail: tail.trim() };
}

function parseLine(line: string): { readonly stream: string; readonly error: string | undefined } {
  if (line.trim() === '') return { stream: '', error: undefined };
  try {
    const { stream, error } = JSON.parse(line) as { readonly stream?: unknown; readonly error?: unknown };
    return { stream: typeof stream === 'string' ? stream : '', error: typeof error === 'string' ? error : undefined };
  } catch {
    return { stream: `${line}\n`, error: undefined };
  }
}
