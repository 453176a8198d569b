import { createServer, type RequestListener, type Server } from 'node:http';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forgeKey } from '../testing/forge.ts';
import type { KeySource } from './key-set.ts';
import { createRemoteKeys, type RemoteKeysLimits } from './remote-keys.ts';

const first = forgeKey().publicKey;
const second = forgeKey().publicKey;

let server: Server | undefined;
let clock: VirtualClock;
let log: ReturnType<typeof createMemoryLog>;
let requests: number;

beforeEach(() => {
  clock = new VirtualClock();
  log = createMemoryLog(clock);
  requests = 0;
});
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

/** Keys from a real server, which answers as told. */
async function open(answer: RequestListener, limits: Partial<RemoteKeysLimits> = {}): Promise<KeySource> {
  const listening = createServer((request, response) => {
    requests += 1;
    answer(request, response);
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const address = listening.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const url = `http://127.0.0.1:${port}/.well-known/jwks.json`;
  return createRemoteKeys({ clock, log, fetch }, { url, limits });
}

/** A server whose key set changes. */
function serve(state: { body: unknown; status?: number }): RequestListener {
  return (_request, response) => {
    response.writeHead(state.status ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(state.body));
  };
}

describe('keys from another process', () => {
  it('I1: are fetched when the first is asked for, in one request', async () => {
    const keys = await open(serve({ body: { keys: [first, second] } }));
    expect(requests).toBe(0);
    const answers = await Promise.all([keys.find(first.kid), keys.find(second.kid), keys.find(first.kid)]);
    expect(answers).toEqual([first, second, first].map((key) => ({ kind: 'found', key })));
    expect(requests).toBe(1);
    await keys.find(first.kid);
    expect(requests).toBe(1);
  });

  it('I2: are fetched again for an unknown id, at most once per cool-down', async () => {
    const state = { body: { keys: [first] } };
    const keys = await open(serve(state));
    await keys.find(first.kid);
    state.body = { keys: [second, first] };
    for (const keyId of ['a', 'b', second.kid]) expect(await keys.find(keyId)).toEqual({ kind: 'unknown' });
    expect(requests).toBe(1);
    await clock.advance(2_000);
    expect(await keys.find(second.kid)).toEqual({ kind: 'found', key: second });
    for (const keyId of ['c', 'd', 'e']) expect(await keys.find(keyId)).toEqual({ kind: 'unknown' });
    expect(requests).toBe(2);
  });

  it('I3: are fetched again when they are old, so that a key that was taken back counts no more', async () => {
    const state = { body: { keys: [first] } };
    const keys = await open(serve(state));
    await keys.find(first.kid);
    state.body = { keys: [second] };
    await clock.advance(599_999);
    expect(await keys.find(first.kid)).toMatchObject({ kind: 'found' });
    await clock.advance(1);
    expect(await keys.find(first.kid)).toEqual({ kind: 'unknown' });
  });

  it('I3: count on while they cannot be fetched, but not for ever', async () => {
    const state = { body: { keys: [first] }, status: 200 };
    const keys = await open(serve(state));
    await keys.find(first.kid);
    state.status = 500;
    await clock.advance(600_000);
    expect(await keys.find(first.kid)).toEqual({ kind: 'found', key: first });
    expect(log.withMessage('The public keys could not be fetched.')).toHaveLength(1);
    await clock.advance(86_400_000 - 600_000);
    expect(await keys.find(first.kid)).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('answered 500'),
    });
    state.status = 200;
    await clock.advance(2_000);
    expect(await keys.find(first.kid)).toEqual({ kind: 'found', key: first });
  });

  it.each<[string, RequestListener, RegExp]>([
    ['an error', serve({ body: {}, status: 404 }), /answered 404/],
    ['no JSON', (_request, response) => response.end('<html>'), /no JSON/],
    ['no key set', serve({ body: { key: [] } }), /no key set/],
    ['too much', (_request, response) => response.end(' '.repeat(300_000)), /larger than 262144 bytes/],
    ['a redirect', (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(), /redirect/],
    ['a cut', (request) => request.socket.destroy(), /127\.0\.0\.1/],
  ])('I4: say why they are missing when the server answers %s', async (_what, answer, reason) => {
    const keys = await open(answer);
    expect(await keys.find(first.kid)).toEqual({ kind: 'unavailable', reason: expect.stringMatching(reason) });
    expect(requests).toBe(1);
  });

  it('I4: say that the server took too long', async () => {
    const keys = await open(() => {});
    const answer = keys.find(first.kid);
    await clock.advance(5_000);
    expect(await answer).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('no answer within 5000 ms'),
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('I4: say that the body took too long', async () => {
    let wrote = (): void => {};
    const written = new Promise<void>((resolve) => {
      wrote = resolve;
    });
    const keys = await open((_request, response) => {
      response.writeHead(200).write('{"keys":[');
      wrote();
    });
    const answer = keys.find(first.kid);
    await written;
    await clock.advance(5_000);
    expect(await answer).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('no answer within') });
  });

  it.each([
    'http://control.example/.well-known/jwks.json',
    'ftp://127.0.0.1/keys',
    'keys.json',
    '',
    'https://user:secret@control.example/keys',
  ])("are not taken from '%s'", (url) => {
    const make = (): KeySource => createRemoteKeys({ clock, log, fetch }, { url });
    expect(make).toThrow(expect.objectContaining({ code: 'KEY_SET_URL' }));
    expect(make).not.toThrow(/secret/);
  });

  it('may be taken in clear from another machine when that is allowed', () => {
    const url = 'http://control.example/.well-known/jwks.json';
    expect(() => createRemoteKeys({ clock, log, fetch }, { url, allowClear: true })).not.toThrow();
  });
});
