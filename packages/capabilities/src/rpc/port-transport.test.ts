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
