import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { HttpReply } from '@switchyard/triggers';
import { afterEach, describe, expect, test } from 'vitest';
import { listen } from '../testing/runtime-harness.ts';
import { addMissingHeaders, writeReply } from './write-reply.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** The response as a client gets it. */
async function write(reply: HttpReply, extraHeaders: readonly string[] = [], method = 'GET') {
  const server = createServer((_request, response) => writeReply(response, reply, extraHeaders));
  servers.push(server);
  const base = await listen(server);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(base, { method, agent: false }, resolve).once('error', reject).end();
  });
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString('latin1') };
}

describe('writeReply', () => {
  test('writes texts and bytes of any size, with their length', async () => {
    const text = await write({ status: 201, headers: [['x-a', 'b']], body: 'grüße' });
    expect(text).toMatchObject({ status: 201, headers: { 'x-a': 'b', 'content-length': '7' } });
    for (const size of [0, 3, 4_096, 4_097]) {
      const { headers, body } = await write({ status: 200, headers: [], body: new Uint8Array(size).fill(0xe9) });
      expect([headers['content-length'], body]).toEqual([String(size), 'é'.repeat(size)]);
    }
  });

  test.each([204, 304])('%i has neither body nor length', async (status) => {
    const reply = await write({ status, headers: [], body: 'left out' });
    expect([reply.status, reply.headers['content-length'], reply.body]).toEqual([status, undefined, '']);
  });

  test('HEAD tells the length of the body that it leaves out, and none that nobody knows', async () => {
    const length = async (reply: HttpReply) => (await write(reply, [], 'HEAD')).headers['content-length'];
    expect(await length({ status: 200, headers: [], body: 'four' })).toBe('4');
    expect(await length({ status: 200, headers: [['content-length', '99']], body: '' })).toBe('99');
    expect(await length({ status: 200, headers: [], body: '' })).toBeUndefined();
  });

  test('adds headers that the reply lacks', async () => {
    const extra = ['Content-Type', 'text/never', 'X-Frame-Options', 'DENY'];
    const { headers } = await write({ status: 200, headers: [['content-type', 'text/mine']], body: '' }, extra);
    expect(headers).toMatchObject({ 'content-type': 'text/mine', 'x-frame-options': 'DENY' });
  });
});

describe('addMissingHeaders', () => {
  test('compares names without regard to case, and keeps repeated ones', () => {
    expect(addMissingHeaders(['A', '1', 'a', '2'], ['a', '3', 'B', '4', 'b', '5'])).toEqual([
      ...['A', '1', 'a', '2', 'B', '4', 'b', '5'],
    ]);
  });
});
