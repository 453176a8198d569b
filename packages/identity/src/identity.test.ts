/** The parts together: one process signs, another verifies with public keys only, and workers dial it over TLS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { type Clock, type Secret, systemClock, systemRandom } from '@switchyard/kernel';
import {
  createRpcChannel,
  createRpcServer,
  eventStreamPath,
  grpcStatus,
  type Link,
  type LinkEnd,
  type RpcChannel,
  type RpcServer,
  toBearerMetadata,
  type WorkerClaims,
} from '@switchyard/protocol';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  audiences,
  createRemoteKeys,
  createTokenIssuer,
  createTokenVerifier,
  createWorkerVerifier,
  type KeyRing,
  openKeyRing,
  type TokenIssuer,
} from './index.ts';
import { sampleWorker } from './testing/sample-grants.ts';

const { kind: _kind, ...grant } = sampleWorker;
const honest: WorkerClaims = {
  workerId: 'w-1',
  application: sampleWorker.application,
  tenantId: 'contoso',
  isPlaceholder: false,
  language: 'node',
  languageVersion: '24',
  epoch: 1,
};
const serverId = createSelfSigned('runtime');
const podId = createSelfSigned('pod-1');
const otherPodId = createSelfSigned('pod-2');

/** Wall-clock time that a test moves; sockets go on with the machine's. */
let aheadMs: number;
const clock: Clock = {
  now: () => systemClock.now() + aheadMs,
  monotonic: () => systemClock.monotonic() + aheadMs,
  schedule: systemClock.schedule,
};
const log = createMemoryLog();

let folder: string;
let ring: KeyRing;
let issuer: TokenIssuer;
let controlPlane: Server;
let runtime: RpcServer;
let port: number;
let accepted: Link[];
let channels: RpcChannel[];
/** What the worker on the next stream says of itself. */
let claims: WorkerClaims;

beforeEach(async () => {
  aheadMs = 0;
  accepted = [];
  channels = [];
  claims = honest;
  folder = mkdtempSync(join(tmpdir(), 'identity-'));
  ring = await openKeyRing({ clock, log }, { directory: join(folder, 'keys') });
  issuer = createTokenIssuer({ clock, random: systemRandom, keys: ring });
  controlPlane = createServer((_request, response) => response.end(JSON.stringify(ring.jwks())));
  await new Promise<void>((resolve) => controlPlane.listen(0, '127.0.0.1', resolve));
  await openRuntime(podId.certificate);
});
afterEach(async () => {
  await Promise.all(channels.map((channel) => channel.close(0)));
  await runtime.close(0);
  controlPlane.closeAllConnections();
  await new Promise((resolve) => controlPlane.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

/** A Runtime that holds no private key. */
async function openRuntime(clientCa: string): Promise<void> {
  const address = controlPlane.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/.well-known/jwks.json`;
  const keys = createRemoteKeys({ clock, log, fetch }, { url });
  const verifier = createTokenVerifier({ clock, keys }, { audience: audiences.runtime });
  const verify = createWorkerVerifier(verifier, { certificate: 'instance' });
  const open = (link: Link): void => {
    void verify(link.metadata, claims).then((verdict) => {
      if (verdict.kind === 'refused') {
        log.write('warning', 'refused', { reason: verdict.status.message });
        link.cancel(verdict.status);
        return;
      }
      accepted.push(link);
      link.receive({ frame: (bytes) => link.send(bytes) });
    });
  };
  runtime = createRpcServer(
    { clock: systemClock, log },
    { methods: { [eventStreamPath]: { kind: 'stream', open } }, tls: { ...serverId, clientCa } },
  );
  ({ port } = await runtime.listen({ host: '127.0.0.1', port: 0 }));
}

function dial(token: Secret | undefined, certificate = podId): Link {
  const channel = createRpcChannel(
    { clock: systemClock, log },
    { endpoint: `https://127.0.0.1:${port}`, tls: { ca: serverId.certificate, ...certificate } },
  );
  channels.push(channel);
  return channel.eventStream({ metadata: toBearerMetadata(token) });
}

/** Who waits for the next frame of a stream. */
const waiting = new WeakMap<Link, (text: string) => void>();

/** Resolves with the echo of a frame, or with the end of the stream. */
function exchange(link: Link, text = 'hello'): Promise<string | LinkEnd> {
  const isNew = !waiting.has(link);
  const answer = new Promise<string>((resolve) => waiting.set(link, resolve));
  if (isNew) link.receive({ frame: (bytes) => waiting.get(link)?.(String(bytes)) });
  link.send(Buffer.from(text));
  return Promise.race([answer, link.closed]);
}

describe('a Runtime with public keys only', () => {
  it('lets in a worker with its token and certificate', async () => {
    expect(await exchange(dial(await issuer.worker(grant)))).toBe('hello');
  });

  it('ends every other stream with the right gRPC status', async () => {
    const token = await issuer.worker(grant);
    const ended = async (link: Link): Promise<number | string> => {
      const end = await exchange(link);
      return typeof end === 'string' ? end : end.code;
    };
    expect(await ended(dial(undefined))).toBe(grpcStatus.unauthenticated);
    expect(await ended(dial(await issuer.assign({ podId: 'w-1' })))).toBe(grpcStatus.unauthenticated);
    expect(await ended(dial(await issuer.worker({ ...grant, tenantId: 'fabrikam' })))).toBe(
      grpcStatus.permissionDenied,
    );
    const { tenantId: _tenant, application: _application, ...placeholder } = grant;
    expect(await ended(dial(await issuer.placeholder(placeholder)))).toBe(grpcStatus.permissionDenied);
    aheadMs = 2 * 86_400_000;
    expect(await ended(dial(token))).toBe(grpcStatus.unauthenticated);
    expect(accepted).toHaveLength(0);
  });

  it('does not take a stolen token on another instance', async () => {
    await runtime.close(0);
    await openRuntime(otherPodId.certificate);
    const end = await exchange(dial(await issuer.worker(grant), otherPodId));
    expect(end).toMatchObject({ code: grpcStatus.permissionDenied, message: expect.stringContaining("'pod-2'") });
  });

  it('takes tokens of a new key at once, and of the old one still, and no rotation or end of a token cuts a stream', async () => {
    const old = await issuer.worker(grant);
    const stream = dial(old);
    expect(await exchange(stream)).toBe('hello');
    await ring.rotate();
    // A key set that was fetched a moment ago is not fetched again at once.
    aheadMs = 10_000;
    expect(await exchange(dial(await issuer.worker(grant)))).toBe('hello');
    expect(await exchange(dial(old))).toBe('hello');
    aheadMs = 2 * 86_400_000;
    expect(await exchange(stream, 'still here')).toBe('still here');
    expect(await exchange(dial(old))).toMatchObject({ code: grpcStatus.unauthenticated });
  });

  it('writes no token and no key into any log', async () => {
    const tokens = [await issuer.worker(grant), await issuer.worker({ ...grant, workerId: 'w-9' })];
    for (const token of tokens) await exchange(dial(token));
    expect(log.withMessage('refused').length).toBeGreaterThan(0);
    const text = inspect(log.records, { depth: 9, maxArrayLength: null, maxStringLength: null });
    for (const token of tokens) {
      for (const part of token.reveal().split('.').slice(1)) expect(text).not.toContain(part.slice(0, 24));
    }
  });
});
