import { createDeferred } from '@switchyard/kernel';
import rhea, { type Connection, type EventContext, type Message } from 'rhea';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AmqpPeer, openAmqpPeer } from './amqp-peer.ts';

let peer: AmqpPeer;
let connection: Connection;
beforeEach(async () => {
  peer = await openAmqpPeer();
  connection = rhea
    .create_container()
    .connect({ port: peer.port, host: '127.0.0.1', username: 'me', reconnect: false });
  for (const event of ['disconnected', 'connection_error', 'receiver_error', 'sender_error'])
    connection.on(event, () => {});
});
afterEach(async () => {
  connection.close();
  await peer.close();
});

/** What comes of an event, once. */
function next(emitter: { once(event: string, listener: (context: EventContext) => void): unknown }, event: string) {
  const happened = createDeferred<EventContext>();
  emitter.once(event, (context) => happened.resolve(context));
  return happened.promise;
}

async function send(address: string, message: Message): Promise<void> {
  const sender = connection.open_sender(address);
  await next(sender, 'sendable');
  sender.send(message);
  await next(sender, 'accepted');
}

describe('openAmqpPeer', () => {
  it('carries messages from senders to receivers, and topics to the subscriptions that want them', async () => {
    peer.declareQueue('jobs');
    peer.declareSubscription('events', 'all');
    const picky = peer.declareSubscription('events', 'picky');
    picky.rules.set('$Default', { name: '$Default', filter: { subject: 'wanted', properties: { tenant: 'a' } } });
    await send('jobs', { body: 'work' });
    const receiver = connection.open_receiver('JOBS');
    const { message } = await next(receiver, 'message');
    expect(message?.body).toBe('work');
    await send('events', { body: 1, subject: 'wanted', application_properties: { tenant: 'a' } });
    await send('events', { body: 2, subject: 'wanted', application_properties: { tenant: 'b' } });
    expect(peer.depth('events', 'all')).toEqual({ queued: 2, deadLetters: 0 });
    expect(peer.depth('events', 'picky')).toEqual({ queued: 1, deadLetters: 0 });
    expect(peer.depth('events', 'nobody')).toBeUndefined();
  });

  it('drops what it has seen within the window of duplicates', async () => {
    const queue = peer.declareQueue('jobs', { duplicateWindowMs: 60_000 });
    for (const id of ['1', '2', '1']) await send('jobs', { body: id, message_id: id });
    expect(queue.messages.map(({ message }) => message.body)).toEqual(['1', '2']);
  });

  it('I1: says that there is nothing where nothing was declared', async () => {
    const receiver = connection.open_receiver('nowhere');
    const closed = await next(receiver, 'receiver_close');
    expect(closed.receiver?.error).toMatchObject({ condition: 'amqp:not-found' });
    const sender = connection.open_sender('nowhere');
    const refused = await next(sender, 'sender_close');
    expect(refused.sender?.error).toMatchObject({ condition: 'amqp:not-found' });
  });

  it('I3: whoever shows no good token attaches to nothing, where tokens are looked at', async () => {
    const strict = await openAmqpPeer({ admits: ({ token }) => token === 'good' });
    strict.declareQueue('jobs');
    const stranger = rhea
      .create_container()
      .connect({ port: strict.port, host: '127.0.0.1', username: 'me', reconnect: false });
    for (const event of ['disconnected', 'sender_error', 'receiver_error']) stranger.on(event, () => {});
    const show = async (token: string): Promise<unknown> => {
      const answers = stranger.open_receiver({ source: '$cbs', target: `answers-${token}` } as never);
      const cbs = stranger.open_sender('$cbs');
      await next(cbs, 'sendable');
      const properties = { operation: 'put-token', type: 'jwt', name: 'jobs' };
      cbs.send({ application_properties: properties, body: token, reply_to: `answers-${token}` } as Message);
      return (await next(answers, 'message')).message?.application_properties?.['status-code'];
    };
    expect(await show('forged')).toBe(401);
    const refused = await next(stranger.open_sender('jobs'), 'sender_close');
    expect(refused.sender?.error).toMatchObject({ condition: 'amqp:unauthorized-access' });
    expect(await show('good')).toBe(202);
    await next(stranger.open_sender('jobs'), 'sendable');
    expect(strict.claims.map(({ type, token }) => `${type} ${token}`)).toEqual(['jwt forged', 'jwt good']);
    stranger.close();
    await strict.close();
  });

  it('I2: a cut ends every connection, and keeps the messages', async () => {
    const queue = peer.declareQueue('jobs');
    await send('jobs', { body: 'work' });
    const cut = next(connection, 'disconnected');
    peer.cut();
    await cut;
    expect(queue.messages).toHaveLength(1);
    connection = rhea
      .create_container()
      .connect({ port: peer.port, host: '127.0.0.1', username: 'me', reconnect: false });
    connection.on('disconnected', () => {});
    const { message } = await next(connection.open_receiver('jobs'), 'message');
    expect(message?.body).toBe('work');
  });
});
