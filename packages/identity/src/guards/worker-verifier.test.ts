import { grpcStatus, peerCertificateMetadata, toBearerMetadata, type WorkerClaims } from '@switchyard/protocol';
import { VirtualClock } from '@switchyard/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { audiences } from '../claims/token-claims.ts';
import { createTestInstallation, type TestInstallation } from '../testing/installation.ts';
import { sampleWorker } from '../testing/sample-grants.ts';
import { createWorkerCallVerifier, createWorkerVerifier, type WorkerVerifierOptions } from './worker-verifier.ts';

const { kind: _kind, ...worker } = sampleWorker;
const { tenantId: _tenant, application: _application, ...placeholder } = worker;

/** What the worker of the sample says of itself. */
const honest: WorkerClaims = {
  workerId: 'w-1',
  application: sampleWorker.application,
  tenantId: 'contoso',
  isPlaceholder: false,
  language: 'node',
  languageVersion: '24.1.0',
  epoch: 3,
};
const waiting: WorkerClaims = {
  ...honest,
  application: { applicationId: '_Placeholder_node', metadataVersion: '1.0.0', codeVersion: '1.0.0' },
  tenantId: '',
  isPlaceholder: true,
};

let clock: VirtualClock;
let installation: TestInstallation;
let stranger: TestInstallation;

beforeAll(async () => {
  clock = new VirtualClock();
  installation = await createTestInstallation(clock);
  stranger = await createTestInstallation(clock);
});

function verify(
  token: string | undefined,
  claims: WorkerClaims,
  options?: WorkerVerifierOptions,
  certificate?: string,
) {
  const metadata = new Map<string, string>();
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
  if (certificate !== undefined) {
    metadata.set(peerCertificateMetadata, JSON.stringify({ commonName: certificate, fingerprint: 'AA' }));
  }
  return createWorkerVerifier(installation.verifier(audiences.runtime), options)(metadata, claims);
}

const workerToken = async (): Promise<string> => (await installation.issuer.worker(worker)).reveal();
const placeholderToken = async (): Promise<string> => (await installation.issuer.placeholder(placeholder)).reveal();

describe('the check of a worker', () => {
  it('lets in the worker that the token was issued to', async () => {
    expect(await verify(await workerToken(), honest)).toEqual({ kind: 'accepted' });
    const metadata = toBearerMetadata(await installation.issuer.worker(worker));
    const check = createWorkerVerifier(installation.verifier(audiences.runtime));
    expect(await check(metadata, honest)).toEqual({ kind: 'accepted' });
  });

  it('lets in a worker that does not say its language', async () => {
    expect(await verify(await workerToken(), { ...honest, language: '', languageVersion: '' })).toEqual({
      kind: 'accepted',
    });
  });

  it('lets in a placeholder with a placeholder token', async () => {
    expect(await verify(await placeholderToken(), waiting)).toEqual({ kind: 'accepted' });
  });

  const foreignApp = { ...sampleWorker.application, applicationId: 'bank' };
  it.each<[string, Partial<WorkerClaims>]>([
    ['another worker', { workerId: 'w-2' }],
    ['another tenant', { tenantId: 'fabrikam' }],
    ['no tenant', { tenantId: '' }],
    ['another app', { application: foreignApp }],
    ['another metadata version', { application: { ...sampleWorker.application, metadataVersion: 'm2' } }],
    ['another code version', { application: { ...sampleWorker.application, codeVersion: 'c2' } }],
    ['another language', { language: 'python' }],
    ['a placeholder', { isPlaceholder: true }],
  ])("denies a worker's token to one that claims to be %s", async (_what, changes) => {
    const verdict = await verify(await workerToken(), { ...honest, ...changes });
    expect(verdict).toMatchObject({ kind: 'refused', status: { code: grpcStatus.permissionDenied } });
  });

  it('says what was claimed and what was granted', async () => {
    const verdict = await verify(await workerToken(), { ...honest, tenantId: 'fabrikam' });
    expect(verdict.kind === 'refused' && verdict.status.message).toContain(
      "for the tenant 'contoso', but 'fabrikam' was claimed",
    );
  });

  it.each<[string, Partial<WorkerClaims>]>([
    ['an app', { application: sampleWorker.application }],
    ['to be no placeholder', { isPlaceholder: false }],
    ['an app, and to be no placeholder', { application: sampleWorker.application, isPlaceholder: false }],
    ['another worker', { workerId: 'w-2' }],
  ])("denies a placeholder's token to one that claims %s", async (_what, changes) => {
    const verdict = await verify(await placeholderToken(), { ...waiting, ...changes });
    expect(verdict).toMatchObject({ kind: 'refused', status: { code: grpcStatus.permissionDenied } });
  });

  it('does not know a worker without a token, with a broken one, or with one of another installation', async () => {
    const tokens = [
      undefined,
      '',
      'token',
      (await stranger.issuer.worker(worker)).reveal(),
      (await installation.issuer.assign({ podId: 'w-1' })).reveal(),
      (await installation.issuer.control({ subject: 'w-1', tenants: '*', scopes: ['worker'] })).reveal(),
    ];
    for (const token of tokens) {
      expect(await verify(token, honest)).toMatchObject({
        kind: 'refused',
        status: { code: grpcStatus.unauthenticated },
      });
    }
  });

  it('is about the moment of the stream: an ended token opens no other', async () => {
    const token = await workerToken();
    expect(await verify(token, honest)).toEqual({ kind: 'accepted' });
    await clock.advance(86_400_000 + 30_000);
    expect(await verify(token, honest)).toMatchObject({ status: { code: grpcStatus.unauthenticated } });
    expect(await verify(await workerToken(), honest)).toEqual({ kind: 'accepted' });
  });

  it('asks for a certificate where it is told to', async () => {
    const token = await workerToken();
    const required = { certificate: 'required' } as const;
    expect(await verify(token, honest, required)).toMatchObject({ status: { code: grpcStatus.unauthenticated } });
    expect(await verify(token, honest, required, 'anyone')).toEqual({ kind: 'accepted' });
    const instance = { certificate: 'instance' } as const;
    expect(await verify(token, honest, instance)).toMatchObject({ status: { code: grpcStatus.unauthenticated } });
    expect(await verify(token, honest, instance, 'pod-2')).toMatchObject({
      status: { code: grpcStatus.permissionDenied },
    });
    expect(await verify(token, honest, instance, 'pod-1')).toEqual({ kind: 'accepted' });
  });

  it('takes no certificate for a token', async () => {
    const verdict = await verify(undefined, honest, { certificate: 'required' }, 'pod-1');
    expect(verdict).toMatchObject({ status: { code: grpcStatus.unauthenticated } });
  });
});

describe('the check of a call beside the stream', () => {
  const check = (token: string | undefined, options?: WorkerVerifierOptions, certificate?: string) => {
    const metadata = new Map<string, string>();
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`);
    if (certificate !== undefined) {
      metadata.set(peerCertificateMetadata, JSON.stringify({ commonName: certificate, fingerprint: 'AA' }));
    }
    return createWorkerCallVerifier(installation.verifier(audiences.runtime), options)(metadata);
  };

  it('says whose worker calls', async () => {
    expect(await check(await workerToken())).toEqual({
      kind: 'accepted',
      grant: expect.objectContaining(sampleWorker),
    });
  });

  it('refuses placeholders, strangers and whoever shows nothing', async () => {
    const ofStranger = (await stranger.issuer.worker(worker)).reveal();
    for (const token of [await placeholderToken(), ofStranger, undefined]) {
      expect(await check(token)).toMatchObject({ kind: 'refused' });
    }
  });

  it('wants the certificate of the instance where that is the rule', async () => {
    const rule = { certificate: 'instance' } as const;
    expect(await check(await workerToken(), rule)).toMatchObject({ kind: 'refused' });
    expect(await check(await workerToken(), rule, worker.instanceId)).toMatchObject({ kind: 'accepted' });
  });
});
