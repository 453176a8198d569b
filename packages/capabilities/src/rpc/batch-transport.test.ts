import { expect, test } from 'vitest';
import { BatchTransport } from './batch-transport.ts';

test('I1: tells when the last message was read, and when the session ended before that', async () => {
  const whole = new BatchTransport(['one', 'two']);
  const events: string[] = [];
  const told = whole.received.then(() => events.push('received'));
  for (let count = 0; count < 2; count += 1) events.push(await whole.receive());
  void whole.receive();
  await told;
  expect(events).toEqual(['one', 'two', 'received']);
  const ended = new BatchTransport(['one', 'two']);
  ended.abort(new Error('a message is wrong'));
  await expect(ended.received).rejects.toThrow('a message is wrong');
});

test('I2: answers with what was sent, in order', () => {
  const transport = new BatchTransport([]);
  expect(transport.answer).toBe('');
  transport.send('one');
  transport.send('two');
  expect(transport.answer).toBe('one\ntwo');
});
