/** A function that settles its Service Bus messages itself, at the port that its worker connects to. */
import { type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type DevProcess, startDevProcess, testApp } from './dev-process.ts';

let peer: AmqpPeer;
let dev: DevProcess;
beforeEach(async () => {
  peer = await openAmqpPeer();
});
afterEach(async () => {
  await dev.close();
  await peer.close();
});

it('settles each message once, the way that the function says', async () => {
  const queue = peer.declareQueue('orders');
  dev = await startDevProcess({
    apps: [testApp('settling')],
    flags: ['--no-azurite'],
    environment: { Bus: peer.connectionString },
  });
  queue.put({ body: Buffer.from('good') });
  await dev.line(/good: Complete is 0, again 9/);
  queue.put({ body: Buffer.from('bad') });
  await dev.line(/bad: Deadletter is 0, again 9/);
  await expect.poll(() => queue.messages.length).toBe(0);
  expect(queue.deadLetters?.messages.map(({ message }) => String(message.body.content ?? message.body))).toEqual([
    'bad',
  ]);
});
