import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineTransport } from './line-transport.ts';

const lost = (detail: string): Error => new Error(`lost: ${detail}`);

function open(maxLineBytes = 1_000) {
  const input = new PassThrough();
  const output = new PassThrough();
  return { input, output, transport: new LineTransport({ input, output }, { maxLineBytes, lost }) };
}

test('I1: a line over the limit ends the session, whether it arrives in one piece or in many', async () => {
  const whole = open(10);
  whole.input.write('"12345678901234567890"\n');
  await expect(whole.transport.receive()).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
  const pieces = open(10);
  for (let index = 0; index < 20; index += 1) pieces.input.write('x');
  await expect(pieces.transport.receive()).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
  expect(pieces.input.destroyed).toBe(true);
});

test('I2: the end of the stream rejects who waits, with the given error', async () => {
  const { input, transport } = open();
  const waiting = transport.receive();
  input.end();
  await expect(waiting).rejects.toThrow('lost: the stream ended');
  await expect(transport.receive()).rejects.toThrow('lost:');
});

test('I3: messages survive any way of cutting the bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.json(), { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat({ max: 60 }), { maxLength: 12 }),
      async (messages, cuts) => {
        const { input, transport } = open(1_000_000);
        const bytes = Buffer.from(messages.map((message) => `${message}\n`).join(''));
        let from = 0;
        for (const cut of cuts) {
          input.write(bytes.subarray(from, from + cut));
          from = Math.min(bytes.length, from + cut);
        }
        input.write(bytes.subarray(from));
        const read: string[] = [];
        while (read.length < messages.length) read.push(await transport.receive());
        expect(read).toEqual(messages);
      },
    ),
    { numRuns: 50 },
  );
});

test('I4: what is sent in one turn leaves in one write, in order, also at the end of the session', async () => {
  const { output, transport } = open();
  const writes: string[] = [];
  output.on('data', (chunk) => writes.push(String(chunk)));
  for (const message of ['1', '2', '3']) transport.send(message);
  await Promise.resolve();
  transport.send('4');
  expect(await new Promise((resolve) => output.once('data', (chunk) => resolve(String(chunk))))).toBe('1\n2\n3\n4\n');
  transport.send('5');
  transport.abort(new Error('over'));
  await new Promise((resolve) => output.once('end', resolve));
  expect(writes).toEqual(['1\n2\n3\n4\n', '5\n']);
});
