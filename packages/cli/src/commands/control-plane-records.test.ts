import { afterEach, describe, expect, it } from 'vitest';
import { runCommandLine, startCommand } from '../testing/run-control.ts';
import { answer, openScriptedControl, problem, type ScriptedControl } from '../testing/scripted-control.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Script = Parameters<typeof openScriptedControl>[0];

async function run(words: readonly string[], script: Script, stdin?: string) {
  await server?.close();
  server = await openScriptedControl(script);
  const input =
    stdin === undefined
      ? {}
      : {
          stdin: (async function* () {
            yield stdin;
          })(),
        };
  return runCommandLine(words, { environment: server.environment, ...input });
}

const finding = {
  ...{ id: 'shop/0a1b', findingId: 'shop/0a1b', kind: 'version', severity: 'critical', state: 'open' },
  ...{ desired: 'v1', actual: 'v9' },
};

const deployment = {
  ...{ deploymentId: 'shop.1', tenantId: 'acme', environmentId: 'acme.default', serviceId: 'shop' },
  ...{
    computeTarget: 'switchyard',
    version: 'v2',
    mode: 'roll-out' as const,
    strategy: { kind: 'blue-green' as const },
  },
  ...{ gateMs: 0, state: 'requested' as const, stage: { index: 0, since: 0 }, steps: [], attempts: 0 },
  ...{ createdBy: 'ann', createdAt: 0, trace: { traceId: 't', correlationId: 'c', depth: 0 } },
};

const letter = {
  ...{
    deadLetterId: '7',
    subscription: 'worker-deployment',
    reason: 'TENANT_MISMATCH',
    description: 'bound to another',
  },
  ...{
    deliveryCount: 1,
    at: '2026-01-02T03:04:05.678Z',
    envelope: { eventType: 'RuntimeDeploymentRequested' },
    history: [],
  },
};

const event = {
  sequence: 3,
  envelope: {
    ...{
      eventId: 'evt-3',
      eventType: 'RuntimeDriftDetected',
      tenantId: 'acme',
      occurredAt: '2026-01-02T03:04:05.678Z',
    },
    ...{ environmentId: 'acme.default', subject: 'shop' },
  },
};

const manifest = 'apiVersion: switchyard.dev/v1\ntenant: acme\nservices:\n  - {id: shop, version: v1}\n';

describe('switchyard apply', () => {
  it('sends the manifest and tells what changed', async () => {
    const applied = { environmentId: 'acme.default', changed: ['serviceSpec shop'], deploymentIds: ['shop.1'] };
    const { exitCode, out } = await run(['apply', '-f', '-'], { applyManifest: () => answer(applied) }, manifest);
    expect([exitCode, out]).toEqual([0, 'Applied to acme.default:\n  serviceSpec shop\n']);
    expect(server?.requests).toMatchObject([{ body: { tenant: 'acme', services: [{ id: 'shop', version: 'v1' }] } }]);
  });

  it('says that nothing is to be done', async () => {
    const applied = { environmentId: 'acme.default', changed: [], deploymentIds: [] };
    const { out } = await run(['apply', '-f', '-'], { applyManifest: () => answer(applied) }, manifest);
    expect(out).toBe('acme.default is as it ought to be already.\n');
  });

  it.each([
    ['tenant: acme', 'apiVersion'],
    [`${manifest}serivces: []\n`, 'serivces'],
    ['a: [', 'a manifest'],
  ])('refuses %j before anything is sent', async (text, at) => {
    const { exitCode, err } = await run(['apply', '-f', '-'], {}, text);
    expect(exitCode).toBe(2);
    expect(`a manifest ${err}`).toContain(at);
    expect(server?.requests).toEqual([]);
  });

  it('asks for a manifest', async () => {
    expect(await run(['apply'], {})).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('switchyard apply -f FILE'),
    });
  });
});

describe('switchyard get', () => {
  it('lists a collection', async () => {
    const { exitCode, out } = await run(['get', 'findings', '--state', 'open'], {
      listRecords: () => answer({ items: [finding] }),
    });
    expect(exitCode).toBe(0);
    expect(out).toBe(
      'FINDING    KIND     SEVERITY  STATE  DESIRED  ACTUAL\nshop/0a1b  version  critical  open   v1       v9\n',
    );
    expect(server?.requests).toMatchObject([{ parameters: { collection: 'findings' }, query: { state: 'open' } }]);
  });

  it('shows one record in full, or as JSON, and fails when there is none', async () => {
    const one = { listRecords: () => answer({ items: [finding] }) };
    expect(JSON.parse((await run(['get', 'findings', 'shop/0a1b'], one)).out)).toEqual(finding);
    expect(JSON.parse((await run(['get', 'findings', '--json'], one)).out)).toEqual({ items: [finding] });
    const none = await run(['get', 'services', 'x'], { listRecords: () => answer({ items: [] }) });
    expect([none.exitCode, none.out, none.err]).toEqual([1, '', expect.stringContaining('among the services')]);
  });

  it('names the collections there are', async () => {
    const { exitCode, err } = await run(['get', 'servces'], {});
    expect(exitCode).toBe(2);
    expect(err).toContain('services');
  });
});

describe('switchyard deployments', () => {
  it('lists, starts and rolls back', async () => {
    const list = await run(['deployments', '--service', 'shop'], {
      listRecords: () => answer({ items: [deployment] }),
    });
    expect(list.out).toContain('shop.1      shop     v2       roll-out  requested  ann');
    const started = await run(['deployments', 'start', 'shop', 'v2'], {
      startServiceDeployment: () => answer(deployment),
    });
    expect(started.exitCode).toBe(0);
    expect(server?.requests).toMatchObject([{ parameters: { service: 'shop' }, body: { version: 'v2' } }]);
    const back = await run(['deployments', 'rollback', 'shop'], { rollBackService: () => answer(deployment) });
    expect(back.exitCode).toBe(0);
  });

  it.each([[['deployments', 'start']], [['deployments', 'start', 'shop']], [['deployments', 'rollback']]])(
    '%j lacks a word',
    async (words) => {
      expect(await run(words, {})).toMatchObject({ exitCode: 2 });
    },
  );
});

describe('switchyard drift', () => {
  it('lists the open findings, undoes and adopts', async () => {
    const list = await run(['drift'], { listRecords: () => answer({ items: [finding] }) });
    expect(list.out).toContain('shop/0a1b');
    expect(server?.requests).toMatchObject([{ query: { state: 'open' } }]);
    const nothing = { kind: 'raw', status: 204, type: 'application/json', text: '' } as const;
    const undone = await run(['drift', 'remediate', 'shop/0a1b'], { decideDrift: () => nothing });
    expect([undone.exitCode, undone.out]).toEqual([0, 'shop/0a1b is being undone.\n']);
    expect(server?.requests).toMatchObject([{ body: { findingId: 'shop/0a1b', decision: 'remediate' } }]);
    await run(['drift', 'adopt', 'shop/0a1b'], { decideDrift: () => nothing });
    expect(server?.requests).toMatchObject([{ body: { decision: 'adopt' } }]);
    expect(await run(['drift', 'adopt'], {})).toMatchObject({ exitCode: 2 });
  });
});

describe('switchyard rotate', () => {
  it('asks for a new value', async () => {
    const nothing = { kind: 'raw', status: 204, type: 'application/json', text: '' } as const;
    expect((await run(['rotate', 'db'], { rotateSecret: () => nothing })).out).toContain('db gets a new value');
    expect(await run(['rotate'], {})).toMatchObject({ exitCode: 2 });
  });
});

describe('switchyard events', () => {
  it('lists', async () => {
    const { out } = await run(['events', '--type', 'RuntimeDriftDetected'], {
      listEvents: () => answer({ items: [event] }),
    });
    expect(out).toBe('03:04:05.678  RuntimeDriftDetected          acme.default  shop  evt-3\n');
  });

  it('shows them as they are told, until it is stopped', async () => {
    server = await openScriptedControl({
      listEvents: ({ query, closed }) => ({
        kind: 'events',
        events: (async function* () {
          expect(query).toMatchObject({ follow: '' });
          yield { name: 'event', data: event } as const;
          await new Promise((resolve) => closed.addEventListener('abort', resolve, { once: true }));
        })(),
      }),
    });
    const running = startCommand(['events', 'tail'], { environment: server.environment });
    await running.printed('RuntimeDriftDetected');
    running.stop();
    expect((await running.outcome).exitCode).toBe(0);
  });
});

describe('switchyard dlq', () => {
  it('lists, shows and replays', async () => {
    const list = await run(['dlq'], { listDeadLetters: () => answer({ items: [letter] }) });
    expect(list.out).toContain(
      '7   2026-01-02T03:04:05.678Z  RuntimeDeploymentRequested  deployment      1  TENANT_MISMATCH',
    );
    const shown = await run(['dlq', 'show', '7'], { getDeadLetter: () => answer(letter) });
    expect(JSON.parse(shown.out)).toEqual(letter);
    const nothing = { kind: 'raw', status: 204, type: 'application/json', text: '' } as const;
    const replayed = await run(['dlq', 'replay', '7'], { replayDeadLetter: () => nothing });
    expect([replayed.exitCode, replayed.out]).toEqual([0, '7 is handled anew.\n']);
    expect(server?.requests).toMatchObject([{ parameters: { letter: '7' } }]);
    expect(await run(['dlq', 'replay'], {})).toMatchObject({ exitCode: 2 });
  });

  it('tells what the platform says', async () => {
    const off = { listDeadLetters: () => problem(501, 'CONTROL_PLANE_OFF', 'No control plane runs here.') };
    expect((await run(['dlq'], off)).err).toContain('No control plane runs here.');
  });
});
