/** `scale` and `rollout`: what they ask for and show. */
import type { RolloutAnswer, ScaleView, TenantQuotaView } from '@switchyard/protocol/control-api';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleStatus, versions } from '../testing/control-samples.ts';
import { runCommandLine } from '../testing/run-control.ts';
import { answer, openScriptedControl, problem, type ScriptedControl } from '../testing/scripted-control.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Script = Parameters<typeof openScriptedControl>[0];

async function run(line: string, script: Script = all) {
  await server?.close();
  server = await openScriptedControl(script);
  return runCommandLine(line.split(' '), { environment: server.environment });
}

const asked = (id: string) => server?.requests.filter((request) => request.id === id) ?? [];

const view: ScaleView = {
  revision: 7,
  scale: { maximum: 5, functionTargets: { hello: 2 } },
  versions: [
    {
      codeVersion: versions.new,
      weight: 100,
      workers: { wanted: 5, ready: 3, starting: 2, draining: 0 },
      signals: {
        functions: [{ name: 'hello', active: 80, eventsPerSecond: 12.34, durationMs: 812.3 }],
        ...{ messages: 4, oldestMessageMs: 31_000, cpuShare: 0.5, blockedWorkers: 0, refused: 0, startFailures: 0 },
        quietMs: 0,
      },
      limits: {
        alwaysReady: 0,
        minimum: 1,
        maximum: 5,
        targetConcurrency: 10,
        targetCpuPercent: 70,
        stabilizationSeconds: 300,
      },
      decision: {
        ...{ target: 5, rule: 'burst', wanted: 12, clamps: ['maximum'], demand: 8, smoothedDemand: 6.5 },
        ...{ explanation: 'A burst: the most is 5.', at: '2026-01-01T00:00:00.000Z' },
      },
    },
  ],
  changes: [
    {
      at: '2026-01-01T00:00:00.000Z',
      codeVersion: versions.new,
      from: 1,
      to: 5,
      rule: 'burst',
      explanation: 'A burst.',
    },
  ],
};

const rollout: RolloutAnswer = {
  ...{ strategy: 'canary', from: versions.old, to: versions.new, state: 'running', step: 0 },
  steps: [
    { weight: 5, holdSeconds: 60 },
    { weight: 100, holdSeconds: 60 },
  ],
  gate: { maxErrorRateIncrease: 0.02, maxP99Ratio: 2, minimumCalls: 20 },
  startedAt: '2026-01-01T00:00:00.000Z',
  health: { new: { calls: 30, errorRate: 0 }, old: { calls: 600, errorRate: 0 }, verdict: 'good', text: '0 % failed' },
  history: [{ at: '2026-01-01T00:00:00.000Z', text: '5 %' }],
};

const quota: TenantQuotaView = { revision: 2, quota: { workers: 8 }, workers: { wanted: 3, ready: 2 } };

const all: Script = {
  getTenantQuota: () => answer(quota),
  putTenantQuota: () => answer(quota),
  getStatus: () => answer(sampleStatus()),
  getScale: () => answer(view),
  putScale: () => answer(view),
  getRollout: () => answer(rollout),
  startRollout: () => answer(rollout),
  changeRollout: () => answer({ ...rollout, state: 'paused', reason: 'by hand' }),
};

describe('switchyard scale', () => {
  it('explains: what is seen, the rule, and the result', async () => {
    const { exitCode, out } = await run('scale explain shop');
    expect(exitCode).toBe(0);
    expect(out).toContain('maximum=5');
    expect(out).toContain('3 ready, 2 starting, 0 draining');
    expect(out).toMatch(/ {2}rule +burst\n {2}result +5 workers \(maximum\)\n {2}why +A burst: the most is 5\.\n/);
    expect(out).toMatch(/hello +80 +12\.3 +812 ms/);
    expect(out).toContain('4 messages, the oldest for 31 s');
    expect(out).toMatch(/CHANGED AT[\s\S]*1 +5 +burst/);
    expect(JSON.parse((await run('scale explain shop --json')).out)).toEqual(view);
    const none = { ...all, getScale: () => answer({ ...view, scale: {}, versions: [], changes: [] }) };
    expect((await run('scale explain shop', none)).out).toContain('nothing was set');
  });

  it('sets what is named, keeps the rest, and takes settings back', async () => {
    await run('scale set shop MAXIMUM=9 alwaysReady=1 targetConcurrency.resize=1 paused=true');
    expect(asked('putScale')[0]?.body).toEqual({
      scale: { maximum: 9, alwaysReady: 1, paused: true, functionTargets: { hello: 2, resize: 1 } },
      revision: 7,
    });
    await run('scale set shop maximum= targetConcurrency.hello=');
    expect(asked('putScale')[0]?.body).toEqual({ scale: {}, revision: 7 });
  });

  it('shows and says what a tenant may have', async () => {
    expect((await run('scale quota contoso')).out).toBe(
      "The apps of tenant 'contoso' may have 8 workers together; 2 are ready and 3 wanted.\n",
    );
    expect(asked('putTenantQuota')).toEqual([]);
    await run('scale quota contoso workers=40');
    expect(asked('putTenantQuota')[0]?.body).toEqual({ quota: { workers: 40 }, revision: 2 });
    const none = { ...all, putTenantQuota: () => answer({ ...quota, quota: {} }) };
    expect((await run('scale quota contoso workers=', none)).out).toContain('as many workers as they want');
    expect(asked('putTenantQuota')[0]?.body).toEqual({ quota: {}, revision: 2 });
    expect(JSON.parse((await run('scale quota contoso --json')).out)).toEqual(quota);
  });

  it.each([
    ['scale quota', 'The tenant'],
    ['scale quota contoso apps=3', "a tenant's quota is workers"],
    ['scale quota contoso workers=-1', 'the value must be a whole number'],
  ])('refuses %s', async (line, message) => {
    const { exitCode, err } = await run(line);
    expect([exitCode, asked('putTenantQuota')]).toEqual([2, []]);
    expect(err).toContain(message);
  });

  it.each([
    ['scale set shop most=3', 'the settings are alwaysReady, minimum, maximum'],
    ['scale set shop maximum=many', 'the value must be a whole number'],
    ['scale set shop paused=perhaps', 'true or false'],
    ['scale set shop maximum.hello=3', 'functions have a targetConcurrency'],
    ['scale set shop maximum', 'the settings are'],
    ['scale explain', 'The app'],
    ['scale grow shop', "'grow'"],
  ])('refuses %s', async (line, message) => {
    const { exitCode, err } = await run(line);
    expect([exitCode, asked('putScale')]).toEqual([2, []]);
    expect(err).toContain(message);
  });
});

describe('switchyard rollout', () => {
  it('starts one to a version by its beginning', async () => {
    const { exitCode, out } = await run('rollout shop start 9f8e');
    expect(exitCode).toBe(0);
    expect(out).toContain(`from ${versions.old} to ${versions.new}: running at 5 % for 60 s (step 1 of 2)`);
    expect(asked('startRollout')[0]?.body).toEqual({
      ...{ to: versions.new, strategy: 'canary', holdSeconds: 60, gate: {} },
    });
    await run(
      'rollout shop start 9f8e --blue-green --steps 10:5,100 --hold 3 --max-errors 5 --max-p99 150 --minimum-calls 9',
    );
    expect(asked('startRollout')[0]?.body).toEqual({
      ...{ to: versions.new, strategy: 'blueGreen', holdSeconds: 3 },
      steps: [
        { weight: 10, holdSeconds: 5 },
        { weight: 100, holdSeconds: 3 },
      ],
      gate: { maxErrorRateIncrease: 0.05, maxP99Ratio: 1.5, minimumCalls: 9 },
    });
  });

  it('starts one to the version that was deployed last when none is named', async () => {
    await run('rollout shop start');
    const [latest] = asked('startRollout').map(({ body }) => (body as { to: string }).to);
    expect(latest).toBe(sampleStatus().versions[0]?.codeVersion);
  });

  it('shows and changes the one that is under way', async () => {
    expect((await run('rollout shop')).out).toContain('new version: good: 0 % failed');
    expect(JSON.parse((await run('rollout shop --json')).out)).toEqual(rollout);
    expect((await run('rollout shop pause')).out).toContain('paused at 5 % for 60 s (step 1 of 2): by hand');
    expect(asked('changeRollout')[0]?.body).toEqual({ action: 'pause' });
  });

  it.each([
    ['rollout shop start 9f8e --steps 5:x', 'steps are written as'],
    ['rollout shop start 9f8e --steps 101', 'steps are written as'],
    ['rollout shop undo', "'undo'"],
  ])('refuses %s', async (line, message) => {
    const { exitCode, err } = await run(line);
    expect([exitCode, asked('startRollout')]).toEqual([2, []]);
    expect(err).toContain(message);
  });

  it('says why the platform refuses', async () => {
    const refused = { ...all, changeRollout: () => problem(409, 'ROLLOUT_REFUSED', 'It is over: promoted.') };
    expect((await run('rollout shop abort', refused)).err).toContain('It is over: promoted.');
  });
});
