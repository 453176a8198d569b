import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ControlEvent, formatEvent, heartbeatText, readEvents } from './event-stream.ts';

async function* inPieces(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((left, right) => left - right);
  for (const [index, end] of places.entries()) yield bytes.subarray(places[index - 1] ?? 0, end);
}

async function read(text: string, cuts: readonly number[] = []): Promise<ControlEvent[]> {
  const events: ControlEvent[] = [];
  for await (const event of readEvents(inPieces(new TextEncoder().encode(text), cuts))) events.push(event);
  return events;
}

describe('event streams', () => {
  it('give back what was written, however the bytes were cut', async () => {
    const event = fc.record({ name: fc.constantFrom('line', 'step'), data: fc.jsonValue() });
    const pieces = fc.array(fc.option(event, { nil: undefined, freq: 4 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(fc.nat(), { maxLength: 12 }), async (given, cuts) => {
        const text = given.map((one) => (one === undefined ? heartbeatText : formatEvent(one.name, one.data))).join('');
        const events = given.filter((one) => one !== undefined);
        // The way through JSON makes -0 a 0, and so on.
        expect(await read(text, cuts)).toEqual(JSON.parse(JSON.stringify(events)));
      }),
    );
  });

  it('have line breaks of any kind, and an unnamed event is a message', async () => {
    const expected = [
      { name: 'a', data: 1 },
      { name: 'message', data: [2] },
    ];
    const text = 'event: a\ndata: 1\n\nid: 7\ndata:[\ndata: 2]\n\n';
    for (const end of ['\n', '\r\n', '\r']) {
      // A carriage return at the very end could be half of a line break.
      const written = `${text.replaceAll('\n', end)}:${end}`;
      for (let cut = 0; cut < written.length; cut += 1) expect(await read(written, [cut])).toEqual(expected);
    }
  });

  it('without data there is no event, nor with an end that was cut off', async () => {
    expect(await read('event: a\n\n')).toEqual([]);
    expect(await read('event: a\ndata: 1\n')).toEqual([]);
  });

  it('an event that is no JSON, or has no end, is an error', async () => {
    await expect(read('data: {\n\n')).rejects.toThrow(SyntaxError);
    await expect(read(`data: "${'x'.repeat(5_000_000)}`)).rejects.toThrow(RangeError);
    await expect(read('data: 1\n'.repeat(5_000_000))).rejects.toThrow(RangeError);
  });
});
