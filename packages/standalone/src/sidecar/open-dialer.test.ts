import { createServer } from 'node:http';
import { createDeferred, Secret, silentLog, systemClock } from '@switchyard/kernel';
import { createRpcServer, eventStreamPath, type Link, readBearerToken } from '@switchyard/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { Closers } from '../dev/closers.ts';
import { listen } from '../http/listen.ts';
import { openDialer } from './open-dialer.ts';
import type { SidecarProcessOptions } from './sidecar-options.ts';

const closers = new Closers(silentLog);
afterEach(() => closers.close());

const none = { certificate: undefined, key: undefined, authority: undefined };
const options: SidecarProcessOptions = {
  variables: {},
  port: 0,
  host: undefined,
  http: { host: undefined, port: undefined, url: undefined },
  wrapperSocket: undefined,
  keys: undefined,
  renewUrl: undefined,
  runtimeTls: none,
  tls: none,
  makesCertificate: false,
  allowClearTokens: false,
  dataDirectory: '/nowhere',
  output: 'text',
  verbose: false,
  console: { write: () => {} },
};

/** A token as far as its keeper looks: it ends after so long. */
function tokenFor(ms: number): string {
  const payload = { exp: Math.floor((Date.now() + ms) / 1_000) + 1 };
  return `head.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.signature`;
}

async function openRuntime(own: Closers) {
  const links: Link[] = [];
  const server = createRpcServer(
    { clock: systemClock },
    { methods: { [eventStreamPath]: { kind: 'stream', open: (link) => void links.push(link) } } },
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  own.add('server', () => server.close(0));
  return { endpoint: `http://127.0.0.1:${port}`, links };
}

describe('openDialer', () => {
  it('shows the newest token that follows the one that the pod was given', async () => {
    const own = new Closers(silentLog);
    const { endpoint, links } = await openRuntime(own);
    const renewed = createDeferred<string | undefined>();
    const next = tokenFor(3_600_000);
    const renewals = createServer((request, response) => {
      response.once('close', () => renewed.resolve(request.headers.authorization));
      response.end(JSON.stringify({ token: next }));
    });
    const port = await listen(renewals, { host: '127.0.0.1', port: 0 });
    own.add('renewals', async () => {
      renewals.close();
      renewals.closeAllConnections();
    });
    const { dial } = await openDialer({ ...options, renewUrl: `http://127.0.0.1:${port}/renew` }, silentLog, own);
    const first = new Secret(tokenFor(1_000));
    const seen = async (): Promise<string | undefined> => {
      const count = links.length;
      dial(endpoint, first).send(new Uint8Array([1]));
      await expect.poll(() => links.length).toBe(count + 1);
      return readBearerToken(links[count]?.metadata ?? new Map());
    };
    expect(await seen()).toBe(first.reveal());
    expect(await renewed.promise).toBe(`Bearer ${first.reveal()}`);
    await expect.poll(seen).toBe(next);
    await own.close();
  });

  it('ends a stream at once whose token would leave the machine in clear, and says how to protect it', async () => {
    const { dial } = await openDialer(options, silentLog, closers);
    const link = dial('http://runtime.example:50051', new Secret('jwt'));
    const { code, message } = await link.closed;
    expect(code).not.toBe(0);
    expect(message).toContain('runtime.example');
  });

  it('dials without a token where there is none to protect', async () => {
    const own = new Closers(silentLog);
    const { endpoint, links } = await openRuntime(own);
    const { dial } = await openDialer(options, silentLog, own);
    dial(endpoint, undefined).send(new Uint8Array([1]));
    await expect.poll(() => links.length).toBe(1);
    expect(readBearerToken(links[0]?.metadata ?? new Map())).toBeUndefined();
    await own.close();
  });

  it('names a certificate whose key is missing', async () => {
    const runtimeTls = { ...none, certificate: '/a.crt' };
    await expect(openDialer({ ...options, runtimeTls }, silentLog, closers)).rejects.toMatchObject({
      code: 'RUNTIME_TLS_INCOMPLETE',
      message: expect.stringContaining('--client-key'),
    });
  });
});
