import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { openSession, RpcTarget } from './session.ts';
import { WebSocketTransport } from './web-socket-transport.ts';

class Echo extends RpcTarget {
  echo(value: number): number {
    return value;
  }
  never(): Promise<void> {
    return new Promise(() => {});
  }
}

const lost = (detail: string): Error => new Error(`lost: ${detail}`);
const servers: WebSocketServer[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    for (const socket of server.clients) socket.terminate();
    server.close();
  }
});

async function connect() {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  servers.push(server);
  server.on('connection', (socket) => openSession(new WebSocketTransport(socket, { lost }), { main: new Echo() }));
  await once(server, 'listening');
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { server, client: openSession<Echo>(new WebSocketTransport(socket, { lost })) };
}

test('I1: the end of the connection rejects pending and later calls', async () => {
  const { server, client } = await connect();
  const pending = client.main.never();
  expect(await client.main.echo(1)).toBe(1);
  for (const socket of server.clients) socket.terminate();
  await expect(pending).rejects.toThrow('lost: closed with 1006');
  await expect(client.main.echo(1)).rejects.toThrow('lost:');
});

test('I2: calls made before the connection stands are answered in order', async () => {
  const { client } = await connect();
  const calls = [1, 2, 3].map((value) => client.main.echo(value));
  expect(await Promise.all(calls)).toEqual([1, 2, 3]);
  client.close();
});
