import { createDeferred } from '@switchyard/kernel';
import { jobHostKey } from '@switchyard/model';
import { readStartStreamClaims, toContextProperties, type WorkerClaims } from '@switchyard/protocol';
import { describe, expect, test } from 'vitest';
import type { AnnouncedApplication, RuntimeApplication, VerifyWorker } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';
import { specialized } from '../testing/attached-worker.ts';
import { createApplication } from '../testing/sample-application.ts';
import { sampleDefinition } from '../testing/sample-worker.ts';
import { Specializer } from './specializer.ts';

const context = { workerId: 'w1', language: 'fake', languageVersion: '1', instanceId: 'here', epoch: 1 } as const;
const opened = (tenantId = '', application: WorkerClaims['application'] | undefined = undefined): WorkerClaims =>
  readStartStreamClaims({ workerId: 'w1', properties: toContextProperties({ ...context, tenantId, application }) });

interface RunOptions {
  readonly verify?: VerifyWorker;
  readonly hosted?: Readonly<Record<string, string>>;
  readonly announced?: (announced: AnnouncedApplication) => Promise<RuntimeApplication>;
  readonly add?: () => Promise<unknown>;
}

function createRun({ verify = () => ({ kind: 'accepted' }), hosted = {}, announced, add }: RunOptions = {}) {
  const tenants = new Map(Object.entries(hosted));
  const verified: { token: string | undefined; claims: WorkerClaims }[] = [];
  const added: RuntimeApplication[] = [];
  const specializer = new Specializer({
    directory: {
      tenantOf: (definition) => tenants.get(jobHostKey(definition)),
      add(application) {
        if (add !== undefined) return add();
        added.push(application);
        tenants.set(jobHostKey(application.definition), application.tenantId);
        return new Promise(() => {});
      },
    },
    verify: (metadata, claims) => {
      verified.push({ token: metadata.get('authorization'), claims });
      return verify(metadata, claims);
    },
    announced,
  });
  const decide = (more: Parameters<typeof specialized>[0] = {}, claims = opened()) =>
    specializer.decide({
      message: specialized(more),
      opened: claims,
      metadata: new Map([['authorization', 'Bearer old']]),
    });
  return { specializer, verified, added, decide };
}

const key = jobHostKey(sampleDefinition);
const announce = async ({ definition, tenantId, settings, scriptRoot }: AnnouncedApplication) =>
  createApplication({ definition, tenantId, scriptRoot, settings: Object.fromEntries(settings) });

describe('Specializer', () => {
  test('accepts a worker of an app that is hosted, as one of its tenant', async () => {
    const { decide, verified } = createRun({ hosted: { [key]: 'contoso' } });
    expect(await decide({ token: 'new' })).toMatchObject({
      kind: 'accepted',
      claims: { workerId: 'w1', application: sampleDefinition, tenantId: 'contoso', isPlaceholder: false },
    });
    expect(verified).toMatchObject([{ token: 'Bearer new', claims: { tenantId: 'contoso' } }]);
  });

  test('checks the token of the stream when the message brings none', async () => {
    const { decide, verified } = createRun({ hosted: { [key]: 'contoso' } });
    await decide();
    expect(verified[0]?.token).toBe('Bearer old');
  });

  test('refuses an app that nobody hosts, without asking who it is', async () => {
    const { decide, verified } = createRun();
    expect(await decide()).toMatchObject({ kind: 'refused', error: { code: 'WORKER_APPLICATION_UNKNOWN' } });
    expect(verified).toEqual([]);
  });

  test.each([
    ['another worker', { workerId: 'w2' }, opened()],
    ['no app', { applicationId: '' }, opened()],
    ['a placeholder', { applicationId: '_Placeholder_fake' }, opened()],
    ['no metadata version', { metadataVersion: '' }, opened()],
    ['no code version', { codeVersion: '' }, opened()],
    ['another app than its stream is for', {}, opened('', { ...sampleDefinition, applicationId: 'other' })],
  ])('refuses a message that names %s', async (_what, more, claims) => {
    const { decide, verified } = createRun({ hosted: { [key]: 'contoso' } });
    expect(await decide(more, claims)).toMatchObject({ kind: 'refused', error: { code: 'WORKER_CONTEXT_INVALID' } });
    expect(verified).toEqual([]);
  });

  test('refuses a worker of another tenant', async () => {
    const { decide } = createRun({ hosted: { [key]: 'contoso' } });
    expect(await decide({}, opened('fabrikam', sampleDefinition))).toMatchObject({ error: { code: 'WORKER_FOREIGN' } });
  });

  test('refuses whom the verifier refuses, and whom it cannot tell', async () => {
    const status = { code: 16, message: 'the token has expired' };
    const refused = createRun({ hosted: { [key]: 'contoso' }, verify: () => ({ kind: 'refused', status }) });
    expect(await refused.decide()).toMatchObject({
      error: { code: 'WORKER_TOKEN_REFUSED', message: expect.stringContaining('the token has expired') },
    });
    const unsure = createRun({ hosted: { [key]: 'contoso' }, verify: () => Promise.reject(new Error('no keys')) });
    expect(await unsure.decide()).toMatchObject({ error: { code: 'WORKER_UNVERIFIED' } });
  });

  test('I1: an announced app is made only after the token was found good', async () => {
    const verdict = createDeferred<{ kind: 'accepted' }>();
    const { decide, added } = createRun({ announced: announce, verify: () => verdict.promise });
    const decided = decide({}, opened('fabrikam', sampleDefinition));
    await Promise.resolve();
    expect(added).toEqual([]);
    verdict.resolve({ kind: 'accepted' });
    expect(await decided).toMatchObject({ kind: 'accepted', claims: { tenantId: 'fabrikam' } });
    expect(added).toMatchObject([{ definition: sampleDefinition, tenantId: 'fabrikam', scriptRoot: '/app' }]);
    const status = { code: 7, message: 'no' };
    const refused = createRun({ announced: announce, verify: () => ({ kind: 'refused', status }) });
    await refused.decide();
    expect(refused.added).toEqual([]);
  });

  test('I2: announcements of the same app at the same time make it once', async () => {
    const made = createDeferred<void>();
    const { decide, added } = createRun({
      announced: async (announced) => {
        await made.promise;
        return await announce(announced);
      },
    });
    const both = [decide(), decide()];
    made.resolve();
    expect((await Promise.all(both)).map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
    await decide();
    expect(added).toHaveLength(1);
  });

  test('I2: one that fails is tried anew by the next worker', async () => {
    let tries = 0;
    const { decide, added } = createRun({
      announced: async (announced) => {
        tries += 1;
        if (tries === 1) throw new Error('its folder is not there');
        return await announce(announced);
      },
    });
    expect(await decide()).toMatchObject({
      error: { code: 'WORKER_ANNOUNCEMENT_FAILED', message: expect.stringContaining('its folder is not there') },
    });
    expect(await decide()).toMatchObject({ kind: 'accepted' });
    expect(added).toHaveLength(1);
  });

  test('I2: the reason why an app cannot be hosted is what its worker hears', async () => {
    const error = runtimeErrors.create('APPLICATION_CONFLICT', { applicationId: 'a', hostName: 'h', other: 'b' });
    const { decide } = createRun({ announced: announce, add: () => Promise.reject(error) });
    expect(await decide()).toEqual({ kind: 'refused', error });
  });

  test('I3: the settings of an announced app come without the token, connection strings included', async () => {
    const { decide, added } = createRun({ announced: announce });
    await decide({ token: 'new', connectionStrings: new Map([['SQLCONNSTR_A', 'x']]) });
    expect(Object.fromEntries(added[0]?.settings ?? [])).toEqual({ GREETING: 'hello', SQLCONNSTR_A: 'x' });
  });

  test('I3: host.json comes apart from the settings', async () => {
    const told: (string | undefined)[] = [];
    const { decide, added } = createRun({
      announced(app) {
        told.push(app.hostJson);
        return announce(app);
      },
    });
    await decide({ connectionStrings: new Map([['SWITCHYARD_HOST_JSON', 'x']]) });
    await decide();
    expect(added[0]?.settings.has('SWITCHYARD_HOST_JSON')).toBe(false);
    expect(told).toEqual([undefined]);
  });
});
