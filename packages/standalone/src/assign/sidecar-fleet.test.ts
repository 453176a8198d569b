import { Secret } from '@switchyard/kernel';
import type { HttpAsk, HttpReply } from '@switchyard/protocol/http-exchange';
import { describe, expect, it } from 'vitest';
import { createSidecarFleet, type SidecarFleetOptions } from './sidecar-fleet.ts';

const stack = { runtime: 'node', version: '24', architecture: 'x64' };

interface ScriptedSidecar {
  readonly workerId: string;
  readonly endpoint: string;
  app?: string;
  state?: string;
  /** What it answers to an assignment. */
  reply?: HttpReply;
}

function open(sidecars: Readonly<Record<string, ScriptedSidecar>>, options: Partial<SidecarFleetOptions> = {}) {
  const posted: { readonly url: string; readonly token: string | undefined; readonly body: unknown }[] = [];
  const exchange = async ({ method, url, headers, body }: HttpAsk): Promise<HttpReply> => {
    const [, base = ''] = /^(.*)\/(?:health|assign)$/.exec(url) ?? [];
    const sidecar = sidecars[base];
    if (sidecar === undefined) throw new Error('nobody listens there');
    if (method === 'POST') {
      posted.push({ url, token: headers.authorization, body: JSON.parse(body ?? '') });
      return sidecar.reply ?? { status: 200, text: '{}' };
    }
    const { workerId, endpoint, app = '', state = app === '' ? 'warm' : 'relaying' } = sidecar;
    const who = { worker_id: workerId, runtime_endpoint: endpoint, application_id: app, stack };
    const data = { ...who, tenant_id: app === '' ? '' : 'contoso', is_placeholder: app === '' };
    return { status: state === 'warm' ? 200 : 503, text: JSON.stringify({ state, data }) };
  };
  const fleet = createSidecarFleet(
    {
      exchange,
      assignToken: async (workerId) => new Secret(`assign ${workerId}`),
      workerToken: async (workerId, { version }) => new Secret(`worker ${workerId} ${version}`),
    },
    {
      sidecarUrls: [...Object.keys(sidecars), 'http://nobody'],
      app: {
        application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
        tenantId: 'contoso',
        content: { kind: 'folder', scriptRoot: '/apps/shop' },
        settings: new Map([['COLOR', 'red']]),
      },
      maxWorkersPerRuntime: 7,
      ...options,
    },
  );
  return { fleet, posted };
}

const request = {} as Parameters<ReturnType<typeof open>['fleet']['assign']>[1];

describe('createSidecarFleet', () => {
  it('I1: sees those that answer: Runtimes with their workers, and who waits', async () => {
    const { fleet } = open(
      {
        'http://one': { workerId: 'w1', endpoint: 'http://a', app: 'shop' },
        'http://two': { workerId: 'w2', endpoint: 'http://a' },
        'http://three': { workerId: 'w3', endpoint: '' },
        'http://four': { workerId: 'w4', endpoint: 'http://b', state: 'warming' },
      },
      { home: 'http://c' },
    );
    const { runtimes, placeholders } = await fleet.view();
    expect(
      runtimes.map(({ endpoint, connectedCount, tenantIds, maxWorkers }) => [
        ...[endpoint, connectedCount, maxWorkers],
        ...tenantIds,
      ]),
    ).toEqual([
      ['http://a', 2, 7, 'contoso'],
      ['', 1, 7],
      ['http://b', 1, 7],
      ['http://c', 0, 7],
    ]);
    expect(placeholders.map(({ workerId, runtimeId }) => [workerId, runtimeId])).toEqual([
      ['w2', 'http://a'],
      ['w3', ''],
    ]);
  });

  it('I1: asks anew whether a worker waits', async () => {
    const sidecar: ScriptedSidecar = { workerId: 'w1', endpoint: 'http://a' };
    const { fleet } = open({ 'http://one': sidecar });
    expect(await fleet.isWaiting('w1')).toBe(false);
    await fleet.look();
    expect(await fleet.isWaiting('w1')).toBe(true);
    sidecar.app = 'blog';
    expect(await fleet.isWaiting('w1')).toBe(false);
  });

  it('I2: an assignment names the Runtime, with a token for this sidecar and one for that Runtime', async () => {
    const { fleet, posted } = open({ 'http://one': { workerId: 'w1', endpoint: 'http://b' } });
    await fleet.look();
    await fleet.reassign('w1', 'http://a', 1);
    expect(await fleet.assign('w1', request, 'http://a', 1)).toEqual({ kind: 'assigned' });
    expect(posted).toEqual([
      {
        url: 'http://one/assign',
        token: 'Bearer assign w1',
        body: expect.objectContaining({
          ...{ runtimeEndpoint: 'http://a', scriptRoot: '/apps/shop', environment: { COLOR: 'red' } },
          application: { id: 'shop', metadataVersion: 'm1', codeVersion: 'c1', tenantId: 'contoso' },
          token: 'worker w1 24',
        }),
      },
    ]);
  });

  it('I3: tells what became of a worker that did not take the app, and leaves it to its sidecar', async () => {
    const sidecar: ScriptedSidecar = { workerId: 'w1', endpoint: 'http://b' };
    const { fleet, posted } = open({ 'http://one': sidecar });
    expect(await fleet.assign('w9', request, 'http://a', 1)).toMatchObject({ kind: 'refused' });
    await fleet.look();
    sidecar.reply = { status: 500, text: '{"message":"it did not load","tainted":true}' };
    expect(await fleet.assign('w1', request, 'http://a', 1)).toMatchObject({
      kind: 'failed',
      tainted: true,
      error: { code: 'ASSIGN_FAILED', message: expect.stringContaining('it did not load') },
    });
    await fleet.end('w1');
    await fleet.replenish('http://a', 1);
    expect(posted).toHaveLength(1);
  });
});
