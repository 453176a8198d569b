import { VirtualClock } from '@switchyard/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { audiences } from '../claims/token-claims.ts';
import { createTestInstallation, type TestInstallation } from '../testing/installation.ts';
import { sampleWorker } from '../testing/sample-grants.ts';
import { createTokenVerifier } from '../tokens/token-verifier.ts';
import { createControlGuard } from './control-guard.ts';

const clock = new VirtualClock();
let installation: TestInstallation;

beforeAll(async () => {
  installation = await createTestInstallation(clock);
});

describe('the guard of the control API', () => {
  it('tells who calls and what they may do', async () => {
    const guard = createControlGuard(installation.verifier(audiences.control));
    const grant = { subject: 'alice', tenants: ['contoso'], scopes: ['read', 'deploy'] };
    const token = (await installation.issuer.control(grant)).reveal();
    expect(await guard(`Bearer ${token}`)).toEqual({ kind: 'accepted', ...grant });
    expect(await guard(`bearer  ${token} `)).toEqual({ kind: 'accepted', ...grant });
  });

  it('knows a Runtime by its scope', async () => {
    const guard = createControlGuard(installation.verifier(audiences.control));
    const token = await installation.issuer.runtime({ runtimeId: 'r-1' });
    expect(await guard(`Bearer ${token.reveal()}`)).toEqual({
      kind: 'accepted',
      subject: 'r-1',
      tenants: '*',
      scopes: ['runtime'],
    });
  });

  it('refuses everybody else with 401, and says why', async () => {
    const guard = createControlGuard(installation.verifier(audiences.control));
    const { kind: _kind, ...worker } = sampleWorker;
    const workerToken = (await installation.issuer.worker(worker)).reveal();
    expect(await guard(undefined)).toMatchObject({ kind: 'refused', status: 401, code: 'TOKEN_MISSING' });
    expect(await guard('Bearer a.b.c')).toMatchObject({ kind: 'refused', status: 401, code: 'TOKEN_MALFORMED' });
    expect(await guard(`Bearer ${workerToken}`)).toMatchObject({ status: 401, code: 'TOKEN_AUDIENCE' });
  });

  it('refuses with 403 what a verifier for another audience lets through', async () => {
    const guard = createControlGuard(installation.verifier(audiences.sidecar));
    const token = await installation.issuer.assign({ podId: 'pod-1' });
    expect(await guard(`Bearer ${token.reveal()}`)).toMatchObject({ status: 403, code: 'TOKEN_KIND' });
  });

  it('answers 503 while the keys cannot be had', async () => {
    const keys = { find: async () => ({ kind: 'unavailable' as const, reason: 'the network is down' }) };
    const guard = createControlGuard(createTokenVerifier({ clock, keys }, { audience: audiences.control }));
    const token = await installation.issuer.runtime({ runtimeId: 'r-1' });
    expect(await guard(`Bearer ${token.reveal()}`)).toMatchObject({ status: 503, code: 'TOKEN_KEYS_UNAVAILABLE' });
  });
});
