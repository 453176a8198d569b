import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentCases, readEnvelope, readInvocationId } from './envelope.ts';
import { StreamingMessage } from './gen/function-rpc.ts';
import { readRecordedFrames } from './testing/recorded-frames.ts';
import { BinaryReader } from './wire/binary-reader.ts';
import { BinaryWriter } from './wire/binary-writer.ts';

const recorded = readRecordedFrames().map(({ file, kind, bytes }) => ({ file, kind, frame: bytes }));

/** What the generated decoder says of a frame's envelope, its invocation id included. */
function decoded(frame: Uint8Array): {
  requestId: string;
  contentCase: string | undefined;
  invocationId: string | undefined;
} {
  const message = StreamingMessage.decode(frame);
  const value = message.content?.value;
  const invocationId = value && 'invocationId' in value && value.invocationId !== '' ? value.invocationId : undefined;
  return { requestId: message.requestId, contentCase: message.content?.$case, invocationId };
}

function decodedOrRefused(frame: Uint8Array): ReturnType<typeof decoded> | 'refused' {
  try {
    return decoded(frame);
  } catch {
    return 'refused';
  }
}

/** What the envelope reader says of the same. */
function read(frame: Uint8Array): ReturnType<typeof decoded> | string {
  const envelope = readEnvelope(frame);
  if (envelope.kind === 'malformed') return envelope.fault;
  const { requestId, contentCase } = envelope;
  return { requestId, contentCase, invocationId: readInvocationId(frame, envelope) };
}

/** One field of a StreamingMessage, as a sender may write it. */
type Field =
  | { readonly kind: 'varint' | 'fixed'; readonly number: number; readonly value: number }
  | { readonly kind: 'delimited'; readonly number: number; readonly body: Uint8Array };

const anyNumber = fc.oneof(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 2 ** 29 - 1 }));

/** A body that decodes as any message of ours: fields that none of them has, and ids where `idNumber` says. */
function bodyWith(idNumber: number | undefined): fc.Arbitrary<Uint8Array> {
  const numbers = idNumber === undefined ? [1000, 2000] : [1000, idNumber];
  const entry = fc.record({
    number: fc.constantFrom(...numbers),
    text: fc.string({ unit: 'grapheme', maxLength: 40 }),
  });
  return fc.array(entry, { maxLength: 4 }).map((entries) => {
    const writer = new BinaryWriter();
    for (const { number, text } of entries) writer.uint32(number * 8 + 2).string(text);
    return writer.finish();
  });
}

/** Content with an invocation id: its number, and the number of the id in it. */
const identified = fc
  .constantFrom([2, 1] as const, [4, 1] as const, [5, 1] as const, [21, 2] as const)
  .chain(([number, idNumber]) => bodyWith(idNumber).map((body) => ({ kind: 'delimited' as const, number, body })));

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constantFrom('varint' as const, 'fixed' as const), number: anyNumber, value: fc.nat() }),
  fc.record({ kind: fc.constant('delimited' as const), number: anyNumber, body: bodyWith(undefined) }),
  fc.record({
    kind: fc.constant('delimited' as const),
    number: fc.constant(1),
    body: fc.uint8Array({ maxLength: 60 }),
  }),
  identified,
);

function write(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const each of fields) {
    const tag = each.number * 8;
    if (each.kind === 'delimited') writer.uint32(tag + 2).bytes(each.body);
    else if (each.kind === 'varint') writer.uint32(tag).uint32(each.value);
    else writer.uint32(tag + 5).float(each.value);
  }
  return writer.finish();
}

describe('readEnvelope', () => {
  it('agrees with the decoder on every recorded frame of the official workers', () => {
    expect(recorded.length).toBeGreaterThan(400);
    for (const { file, kind, frame } of recorded) {
      expect(read(frame), `${file} ${kind}`).toEqual(decoded(frame));
      const envelope = readEnvelope(frame);
      if (envelope.kind !== 'envelope') throw new Error('malformed');
      expect(envelope.contentCase?.toLowerCase()).toBe(kind.replaceAll('_', ''));
    }
  });

  it('agrees with the decoder on fields in any order, repeated, unknown and of other wire types', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), (fields) => {
        const frame = write(fields);
        const found = read(frame);
        if (typeof found === 'string') throw new Error(found);
        expect(found).toEqual(decoded(frame));
      }),
      { numRuns: 2000 },
    );
  });

  it('names the range of the last content', () => {
    const frame = write([
      { kind: 'delimited', number: 4, body: Buffer.from('first') },
      { kind: 'delimited', number: 1, body: Buffer.from('id') },
      { kind: 'delimited', number: 2, body: Buffer.from('second') },
      { kind: 'delimited', number: 999, body: Buffer.from('unknown') },
    ]);
    const envelope = readEnvelope(frame);
    expect(envelope).toMatchObject({ kind: 'envelope', requestId: 'id', contentCase: 'rpcLog' });
    if (envelope.kind !== 'envelope') return;
    expect(Buffer.from(frame).toString('latin1', envelope.contentStart, envelope.contentEnd)).toBe('second');
  });

  it('never throws on any bytes, never points outside them, and never differs from a decoder that accepts them', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...recorded), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
      .map(([{ frame }, changes]) => {
        const bytes = Buffer.from(frame);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        const envelope = readEnvelope(bytes);
        if (envelope.kind === 'malformed') {
          expect(envelope.offset).toBeLessThanOrEqual(bytes.length);
          if (envelope.fault === 'truncated') expect(() => StreamingMessage.decode(bytes)).toThrow();
          return;
        }
        expect(envelope.contentEnd).toBeLessThanOrEqual(bytes.length);
        expect(envelope.contentStart).toBeLessThanOrEqual(envelope.contentEnd);
        const found = read(bytes);
        const expected = decodedOrRefused(bytes);
        if (expected !== 'refused') expect(found).toEqual(expected);
      }),
      { numRuns: 10_000 },
    );
  });

  it('calls a cut frame truncated exactly when the decoder refuses it', () => {
    fc.assert(
      fc.property(fc.constantFrom(...recorded), fc.nat(), ({ frame }, cut) => {
        const part = frame.subarray(0, cut % (frame.length + 1));
        if (readEnvelope(part).kind === 'envelope') expect(read(part)).toEqual(decoded(part));
        else expect(() => StreamingMessage.decode(part)).toThrow();
      }),
      { numRuns: 3000 },
    );
  });

  it('does not read behind a frame that is a window of a larger buffer', () => {
    const memory = Buffer.from(write([{ kind: 'delimited', number: 1, body: Buffer.from('neighbour') }]));
    for (let end = 1; end < memory.length; end += 1) {
      expect(readEnvelope(memory.subarray(0, end))).toMatchObject({ kind: 'malformed', fault: 'truncated' });
    }
  });

  it.each([
    ['field number 0', [0x02, 0x00], 'tag'],
    ['a group', [0x0b, 0x0c], 'tag'],
    ['wire type 7', [0x0f], 'tag'],
    ['a varint of eleven bytes', [0x08, ...Array(10).fill(0x80), 0x01], 'varint'],
    ['a length of 4 GiB', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], 'truncated'],
    ['half a fixed64', [0x09, 1, 2, 3], 'truncated'],
    ['half a fixed32', [0x0d, 1, 2, 3], 'truncated'],
    ['half a tag', [0x80], 'truncated'],
  ])('calls %s malformed', (_name, bytes, fault) => {
    expect(readEnvelope(Uint8Array.from(bytes))).toMatchObject({ kind: 'malformed', fault });
  });

  it('reads an empty frame as an envelope without anything', () => {
    expect(readEnvelope(new Uint8Array(0))).toEqual({
      kind: 'envelope',
      requestId: '',
      contentCase: undefined,
      contentStart: 0,
      contentEnd: 0,
    });
  });

  it('knows each content of the schema by its number', () => {
    for (const [number, name] of contentCases.entries()) {
      const message = StreamingMessage.decode(
        write([{ kind: 'delimited', number: Math.max(1, number), body: new Uint8Array(0) }]),
      );
      expect(message.content?.$case).toBe(name);
    }
  });
});

describe('readInvocationId', () => {
  it('finds it in requests, responses, cancellations and logs, the last one winning', () => {
    for (const [number, id] of [
      [4, 1],
      [5, 1],
      [2, 1],
      [21, 2],
    ] as const) {
      const inner = new BinaryWriter();
      for (const text of ['first', 'second']) inner.uint32(id * 8 + 2).string(text);
      const frame = write([{ kind: 'delimited', number, body: inner.finish() }]);
      const envelope = readEnvelope(frame);
      expect(envelope.kind === 'envelope' && readInvocationId(frame, envelope)).toBe('second');
    }
  });

  it('answers undefined for kinds without one, for an empty one, and for a malformed body', () => {
    for (const [number, bytes] of [
      [20, [0x0a, 1, 0x61]],
      [4, []],
      [4, [0x0a, 0]],
      [4, [0x0a, 1, 0x61, 0x12, 50]],
    ] as const) {
      const frame = write([{ kind: 'delimited', number, body: Uint8Array.from(bytes) }]);
      const envelope = readEnvelope(frame);
      expect(envelope.kind === 'envelope' ? readInvocationId(frame, envelope) : 'malformed').toBeUndefined();
    }
  });
});

it('the recorded frames decode and encode to the same message', () => {
  for (const { frame } of recorded) {
    const message = StreamingMessage.decode(frame);
    const again = StreamingMessage.encode(message).finish();
    expect(StreamingMessage.decode(again)).toEqual(StreamingMessage.decode(new Uint8Array(frame)));
    expect(new BinaryReader(again).len).toBe(again.length);
  }
});
