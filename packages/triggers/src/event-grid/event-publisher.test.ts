import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Secret } from '@switchyard/kernel';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpEventPublisher, type TopicAccess } from './event-publisher.ts';

let server: Server;
let seen: { request: IncomingMessage; body: string }[];
let answer: number;
beforeEach(async () => {
  seen = [];
  answer = 200;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ request, body: Buffer.concat(chunks).toString('utf8') });
      response.writeHead(answer, answer === 302 ? { location: 'http://127.0.0.1:1/' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const withKey: TopicAccess = { kind: 'key', key: new Secret('secret') };
const asked: string[] = [];
const publisher = createHttpEventPublisher(async (identity, scope) => {
  asked.push(`${identity.kind} ${scope}`);
  return new Secret('the-token');
});

const publish = (search = '', isCloudEvents = false, access: TopicAccess = withKey) => {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/events${search}`;
  return publisher.publish({ endpoint, access, isCloudEvents }, '[]', new AbortController().signal);
};

describe('createHttpEventPublisher', () => {
  it('posts events with the key and the version of the API', async () => {
    expect(await publish()).toEqual({ status: 200 });
    const [{ request, body } = { request: undefined, body: '' }] = seen;
    expect([request?.method, request?.url, body]).toEqual(['POST', '/api/events?api-version=2018-01-01', '[]']);
    expect(request?.headers).toMatchObject({
      'aeg-sas-key': 'secret',
      'content-type': 'application/json; charset=utf-8',
    });
  });

  it('posts events with a token of the identity, and without a key', async () => {
    const identity = { kind: 'managed', clientId: undefined, resourceId: undefined } as const;
    expect(await publish('', false, { kind: 'identity', identity })).toEqual({ status: 200 });
    expect(seen[0]?.request.headers).toMatchObject({ authorization: 'Bearer the-token' });
    expect(seen[0]?.request.headers).not.toHaveProperty('aeg-sas-key');
    expect(asked).toEqual(['managed https://eventgrid.azure.net/.default']);
  });

  it('keeps a version that the address names, and says what CloudEvents are', async () => {
    await publish('?api-version=2024-01-01', true);
    expect(seen[0]?.request.url).toBe('/api/events?api-version=2024-01-01');
    expect(seen[0]?.request.headers['content-type']).toBe('application/cloudevents-batch+json; charset=utf-8');
  });

  it('takes any status for an answer, and follows nobody elsewhere with the key', async () => {
    answer = 401;
    expect(await publish()).toEqual({ status: 401 });
    answer = 302;
    await expect(publish()).rejects.toThrow();
  });
});
