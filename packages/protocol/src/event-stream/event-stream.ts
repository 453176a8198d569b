/**
 * Server-sent events (WHATWG HTML, 9.2), as far as the control API and the job protocol use them: an event has a name and
 * one JSON value, and comments keep an idle stream alive.
 */

/** The content type of a stream of events. */
export const eventStreamType = 'text/event-stream';

/** One event. `data` is what JSON.parse gave. */
export interface ControlEvent {
  readonly name: string;
  readonly data: unknown;
}

/** A line that readers skip; it shows that the stream lives. */
export const heartbeatText = ': still here\n\n';

/** The text of one event. JSON without indentation holds no line break, so one `data` line is enough. */
export function formatEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** An event that is longer than this many characters is no event of ours. */
const maxEventLength = 4 * 1024 * 1024;

/**
 * Reads events from the bytes of a response as they come. Comments and fields of no use here are skipped, and so is an
 * event that the end of the stream cut off.
 * @throws SyntaxError when the data of an event is no JSON; RangeError when an event does not end.
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<ControlEvent, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  let name = '';
  let data: string[] = [];
  for await (const chunk of bytes) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be the first half of a line break.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line !== '') {
        const [field, value] = splitField(line);
        if (field === 'event') name = value;
        if (field === 'data') data.push(value);
      } else {
        if (data.length > 0) yield { name: name === '' ? 'message' : name, data: JSON.parse(data.join('\n')) };
        name = '';
        data = [];
      }
    }
    if (rest.length + data.reduce((sum, line) => sum + line.length, 0) > maxEventLength) {
      throw new RangeError(`An event of the stream is longer than ${maxEventLength} characters.`);
    }
  }
}

function splitField(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value];
}
