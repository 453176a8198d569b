import * as net from 'node:net';
import { expect, test } from 'vitest';
import { createNodeNetwork } from './node-network.ts';

const network = createNodeNetwork(net);
const forever = new AbortController().signal;

test('a port is free until somebody takes it', async () => {
  const port = await network.freePort();
  expect(await network.accepts(port, forever)).toBe(false);
  const server = net.createServer().listen(port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  expect(await network.accepts(port, forever)).toBe(true);
  expect(await network.freePort()).not.toBe(port);
  await new Promise((resolve) => server.close(resolve));
});

test('nobody asks when the question is over', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  expect(await network.accepts(port, AbortSignal.abort())).toBe(false);
  const controller = new AbortController();
  const answer = network.accepts(port, controller.signal);
  controller.abort();
  expect(await answer).toBe(false);
  await new Promise((resolve) => server.close(resolve));
});
