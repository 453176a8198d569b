import { VirtualClock } from '@switchyard/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { audiences } from '../claims/token-claims.ts';
import { createTestInstallation, type TestInstallation } from '../testing/installation.ts';
import { sampleWorker } from '../testing/sample-grants.ts';
import { type AssignVerdict, createAssignGuard } from './assign-guard.ts';

let clock: VirtualClock;
let installation: TestInstallation;

beforeEach(async () => {
  clock = new VirtualClock();
  installation = await createTestInstallation(clock);
});

function createGuard(maxRemembered?: number): (authorization: string | undefined) => Promise<AssignVerdict> {
  return createAssignGuard(
    { clock, verifier: installation.verifier(audiences.sidecar) },
    { podId: 'pod-1', ...(maxRemembered === undefined ? {} : { maxRemembered }) },
  );
}

async function header(podId = 'pod-1'): Promise<string> {
  return `Bearer ${(await installation.issuer.assign({ podId })).reveal()}`;
}

describe('the guard of /assign', () => {
  it('I1: accepts a token for this pod', async () => {
    expect(await createGuard()(await header())).toEqual({ kind: 'accepted' });
  });

  it('I1: refuses a token for another pod with 403', async () => {
    expect(await createGuard()(await header('pod-2'))).toMatchObject({
      kind: 'refused',
      status: 403,
      reason: expect.stringContaining("for the pod 'pod-2'"),
    });
  });

  it('I1: refuses everything else with 401', async () => {
    const { kind: _kind, ...worker } = sampleWorker;
    const others = [
      undefined,
      '',
      'Bearer',
      'Bearer  ',
      'Basic cG9kOnBvZA==',
      'Bearer token',
      (await header()).replace('Bearer', 'Token'),
      `Bearer ${(await installation.issuer.worker({ ...worker, workerId: 'pod-1' })).reveal()}`,
      `Bearer ${(await installation.issuer.control({ subject: 'pod-1', tenants: '*', scopes: ['assign'] })).reveal()}`,
    ];
    const guard = createGuard();
    for (const authorization of others) {
      expect(await guard(authorization)).toMatchObject({ kind: 'refused', status: 401 });
    }
  });

  it('I1: refuses a token that has ended', async () => {
    const late = await header();
    await clock.advance(60_000 + 30_000);
    expect(await createGuard()(late)).toMatchObject({ kind: 'refused', status: 401 });
  });

  it('I2: accepts a token once', async () => {
    const guard = createGuard();
    const once = await header();
    expect(await guard(once)).toEqual({ kind: 'accepted' });
    expect(await guard(once)).toMatchObject({ kind: 'refused', status: 403, reason: expect.stringContaining('once') });
    expect(await guard(await header())).toEqual({ kind: 'accepted' });
  });

  it('I2: accepts a token once, also when it comes many times at the same time', async () => {
    const guard = createGuard();
    const once = await header();
    const verdicts = await Promise.all(Array.from({ length: 20 }, () => guard(once)));
    expect(verdicts.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
  });

  it('I2: does not use up a token that it refuses', async () => {
    const foreign = await header('pod-2');
    await createGuard()(foreign);
    const other = createAssignGuard({ clock, verifier: installation.verifier(audiences.sidecar) }, { podId: 'pod-2' });
    expect(await other(foreign)).toEqual({ kind: 'accepted' });
  });

  it('I3: lets nobody in while too many used tokens still hold, and again when they have ended', async () => {
    const guard = createGuard(2);
    const first = await header();
    for (const authorization of [first, await header()]) {
      expect(await guard(authorization)).toEqual({ kind: 'accepted' });
    }
    expect(await guard(await header())).toMatchObject({ status: 403, reason: expect.stringContaining('2 tokens') });
    expect(await guard(first)).toMatchObject({ status: 403, reason: expect.stringContaining('once') });
    await clock.advance(60_000 + 30_000);
    expect(await guard(await header())).toEqual({ kind: 'accepted' });
    expect(await guard(first)).toMatchObject({ kind: 'refused', status: 401 });
  });
});
