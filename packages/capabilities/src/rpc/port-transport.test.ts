import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { PortTransport } from './port-transport.ts';
import { openSession, RpcTarget } from './session.ts';

class Silent extends RpcTarget {
  never(): Promise<void> {
    return new Promise(() => {});
  }
}

const lost = (detail: string): Error => new Error(`lost: ${detail}`);

function connect() {
  const { port1, port2 } = new MessageChannel();
  const server = openSession(new PortTransport(port1, { lost }), { main: new Silent() });
  const client = openSession<Silent>(new PortTransport(port2, { lost }));
  return { port1, port2, server, client };
}

test('I1: the end of the other side rejects pending and later calls', async () => {
  const { port1, client } = connect();
  const pending = client.main.never();
  port1.close();
  await expect(pending).rejects.toThrow('lost: the other thread ended');
  await expect(client.main.never()).rejects.toThrow('lost: the other thread ended');
});

test('I2: ending the session closes the port', async () => {
  const { port1, client } = connect();
  const closed = once(port1, 'close');
  client.close();
  expect(await closed).toHaveLength(1);
});

class Adder extends RpcTarget {
  add(left: number, right: number): number {
    return left + right;
  }
}

/** Counts the messages that cross a channel in one direction. */
function connectAdders(batches: boolean, serverBatches = batches) {
  const { port1, port2 } = new MessageChannel();
  const sent: unknown[] = [];
  port1.on('message', (message) => sent.push(message));
  openSession(new PortTransport(port1, { lost, batches: serverBatches }), { main: new Adder() });
  const client = openSession<Adder>(new PortTransport(port2, { lost, batches }));
  return { client, sent };
}

test('I3: what is sent in one turn leaves as one message, and without batches as several', async () => {
  const batched = connectAdders(true);
  const calls = [1, 2, 3].map((value) => batched.client.main.add(value, 1));
  expect(await Promise.all(calls)).toEqual([2, 3, 4]);
  expect(batched.sent[0]).toHaveLength(6);
  batched.client.close();
  const single = connectAdders(false);
  expect(await single.client.main.add(1, 1)).toBe(2);
  expect(single.sent.map((message) => (message as unknown[])[0])).toEqual(['push', 'pull']);
  single.client.close();
});

test('I3: a side that batches and one that does not understand each other', async () => {
  for (const [near, far] of [
    [true, false],
    [false, true],
  ] as const) {
    const { client, sent } = connectAdders(near, far);
    expect(await Promise.all([client.main.add(1, 2), client.main.add(3, 4)])).toEqual([3, 7]);
    // The side that did not begin with batches sends them now, when the other one did.
    expect(sent.length).toBe(near ? 1 : 4);
    client.close();
  }
});
