import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { listen } from '../testing/runtime-harness.ts';
import { discardBody } from './unread-body.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers without a look at bodies, and a connection to it. */
async function createRun(prepare: (request: import('node:http').IncomingMessage) => void = () => {}) {
  const clock = new VirtualClock();
  const server = createServer((request, response) => {
    prepare(request);
    response.once('finish', () => discardBody(clock, request, 5_000));
    response.end('done');
  });
  servers.push(server);
  const socket = connect(Number(new URL(await listen(server)).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    received += part;
  });
  const ended = new Promise<void>((resolve) => socket.on('error', () => {}).once('close', () => resolve()));
  const answers = (): number => received.match(/HTTP\/1\.1 200/g)?.length ?? 0;
  return { clock, socket, ended, answers };
}

const post = (length: number) => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
const get = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n';

describe('discardBody', () => {
  test('takes the rest off the wire, so that the next request is served', async () => {
    const { socket, ended, answers, clock } = await createRun();
    socket.write(`${post(1_000_000)}${'x'.repeat(1_000_000)}${get}`);
    await ended;
    expect([answers(), clock.pendingTimers]).toEqual([2, 0]);
  });

  test('also when the body was on its way elsewhere', async () => {
    const { socket, ended, answers } = await createRun((request) => {
      const slow = connect({ port: 1, host: '127.0.0.1' }).on('error', () => {});
      request.pipe(slow);
      slow.destroy();
    });
    socket.write(`${post(1_000_000)}${'x'.repeat(1_000_000)}${get}`);
    await ended;
    expect(answers()).toBe(2);
  });

  test('cuts a sender off that does not come to an end', async () => {
    const { socket, ended, answers, clock } = await createRun();
    socket.write(`${post(1_000_000)}x`);
    await expect.poll(answers).toBe(1);
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(5_000);
    await ended;
    expect([answers(), clock.pendingTimers]).toEqual([1, 0]);
  });
});
