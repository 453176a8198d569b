import { createDeferred, Secret } from '@switchyard/kernel';
import type { PodEnd } from '@switchyard/protocol';
import type { HttpReply } from '@switchyard/protocol/http-exchange';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { nodeStack } from '../../testing/fake-provider.ts';
import { type ProviderRun, podProviderContract, sampleAssignment } from '../../testing/pod-provider-contract.ts';
import type { SeenPod } from './kubernetes-api.ts';
import { createKubernetesPods } from './kubernetes-pods.ts';
import type { KubernetesPodOptions } from './pod-manifest.ts';

const options: KubernetesPodOptions = {
  installation: 'test',
  imageOf: ({ version }) => (version === '24' ? 'worker:24' : undefined),
  serviceAccountName: 'worker',
  ...{ controlUrl: 'https://up.example:7072', tlsSecret: 'tls' },
  requests: { cpu: '50m', memory: '128Mi' },
  limits: { cpu: '1', memory: '1Gi' },
};

const openState = () => ({
  looks: 0,
  isAway: false,
  refusal: undefined as Error | undefined,
  /** The pod is created, and nobody hears of it. */
  loss: undefined as Error | undefined,
  creating: undefined as Promise<void> | undefined,
  reply: { status: 200, text: '{}' } as HttpReply | Error,
  health: { status: 200, text: '{}' } as HttpReply | Error,
});

const orThrow = (reply: HttpReply | Error): HttpReply => {
  if (reply instanceof Error) throw reply;
  return reply;
};

function openRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const pods = new Map<string, SeenPod>();
  const [deleted, posted]: [string[], string[]] = [[], []];
  const tokens: (string | undefined)[] = [];
  const state = openState();
  const provider = createKubernetesPods(
    {
      clock,
      log,
      random: createSeededRandom(1),
      api: {
        async createPod(manifest) {
          if (state.refusal !== undefined) throw state.refusal;
          await state.creating;
          const { name } = (manifest as { readonly metadata: { readonly name: string } }).metadata;
          const rest = { phase: 'Pending', address: undefined, isReady: false, exitCode: undefined };
          pods.set(name, { name, ...rest, reason: undefined, isStuck: false });
          if (state.loss !== undefined) throw state.loss;
        },
        async listPods() {
          state.looks += 1;
          if (state.isAway) throw new Error('the cluster is away');
          return [...pods.values()];
        },
        async deletePod(name) {
          if (state.isAway) throw new Error('the cluster is away');
          deleted.push(name);
          pods.delete(name);
        },
      },
      tokenFor: async (workerId) => new Secret(`for ${workerId}`),
      exchange: async ({ url, headers }) => {
        if (url.endsWith('/health')) return orThrow(state.health);
        posted.push(url);
        tokens.push(headers.authorization);
        return orThrow(state.reply);
      },
    },
    options,
  );
  const change = (name: string, more: Partial<SeenPod>): void => {
    const pod = pods.get(name);
    if (pod !== undefined) pods.set(name, { ...pod, ...more });
  };
  const start = async () => {
    const pod = provider.startPod(nodeStack);
    let end: PodEnd | undefined;
    let isWarm = false;
    void pod.ended.then((given) => {
      end = given;
    });
    pod.warm.then(
      () => {
        isWarm = true;
      },
      () => {},
    );
    await clock.settle();
    return { pod, isWarm: () => isWarm, end: () => end };
  };
  const ready = { phase: 'Running', isReady: true, address: '10.0.0.7' };
  return { clock, log, pods, deleted, posted, tokens, state, provider, change, start, ready };
}

/** The same run, as the contract wants it. */
function openContractRun(): ProviderRun {
  const { clock, pods, tokens, state, provider, change, ready } = openRun();
  return {
    ...{ provider, tokens },
    pass: () => clock.advance(6_000),
    becomeReady: (workerId) => change(workerId, ready),
    exit: (workerId, exitCode) => change(workerId, { phase: 'Failed', isReady: false, exitCode, reason: 'Error' }),
    running: () => [...pods.keys()],
    refuse(reason) {
      state.refusal = new Error(reason);
    },
    answer(reply) {
      state.reply = reply;
    },
    health(reply) {
      state.health = reply;
    },
  };
}

describe('createKubernetesPods', () => {
  podProviderContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, openContractRun);

  it('I1: is warm when the cluster says so, takes an app, and ends when it is gone', async () => {
    const { clock, change, start, ready, posted, deleted } = openRun();
    const { pod, isWarm, end } = await start();
    expect(await pod.assign(sampleAssignment)).toMatchObject({ kind: 'refused' });
    await clock.advance(1_000);
    expect(isWarm()).toBe(false);
    change(pod.workerId, ready);
    await clock.advance(500);
    expect(isWarm()).toBe(true);
    expect(await pod.assign(sampleAssignment)).toEqual({ kind: 'assigned' });
    expect(posted).toEqual(['https://10.0.0.7:7073/assign']);
    pod.stop(3_000);
    pod.stop(0);
    await clock.advance(6_000);
    expect([deleted, end()?.exitCode]).toEqual([[pod.workerId], null]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('I1: tells how a pod ended by itself, and takes it out of the cluster', async () => {
    const { clock, change, start, ready, deleted } = openRun();
    const { pod, end } = await start();
    change(pod.workerId, ready);
    await clock.advance(500);
    change(pod.workerId, { phase: 'Failed', isReady: false, exitCode: 137, reason: 'OOMKilled' });
    await clock.advance(5_000);
    expect(end()).toMatchObject({ exitCode: 137, error: { message: expect.stringContaining('OOMKilled') } });
    expect(deleted).toEqual([pod.workerId]);
  });

  it('I2: a pod that cannot be created, has no image or never appears ends with the reason', async () => {
    const { clock, state, provider, start, pods } = openRun();
    state.refusal = new Error('the quota is used up');
    const refused = await start();
    await expect(refused.pod.warm).rejects.toThrow('the quota is used up');
    const other = provider.startPod({ ...nodeStack, version: '18' });
    await expect(other.warm).rejects.toThrow('no image for node:18:x64');
    state.refusal = undefined;
    const lost = await start();
    pods.clear();
    await clock.advance(40_000);
    await expect(lost.pod.warm).rejects.toThrow('the cluster has it no more');
    expect((await start()).end()).toBeUndefined();
  });

  it('I2: a pod that was given up while it was created is deleted all the same', async () => {
    const { clock, state, start, deleted, pods } = openRun();
    const created = createDeferred<void>();
    state.creating = created.promise;
    const { pod, end } = await start();
    pod.stop(0);
    await clock.settle();
    created.resolve();
    await clock.advance(60_000);
    expect([deleted, pods.size, end() !== undefined]).toEqual([[pod.workerId, pod.workerId], 0, true]);
  });

  it('I2: a pod that may have been created without an answer is deleted', async () => {
    const { state, start, deleted, pods } = openRun();
    state.loss = new Error('socket hang up');
    const { pod } = await start();
    await expect(pod.warm).rejects.toThrow('socket hang up');
    expect([deleted, pods.size]).toEqual([[pod.workerId], 0]);
  });

  it('I5: a pod that is stuck ends with what keeps it, unless that comes within half a minute', async () => {
    const { clock, change, start, ready, deleted } = openRun();
    const reason = 'ImagePullBackOff: there is no image worker:24';
    const [stuck, late] = [await start(), await start()];
    for (const { pod } of [stuck, late]) change(pod.workerId, { reason, isStuck: true });
    await clock.advance(29_000);
    change(late.pod.workerId, { reason: undefined, isStuck: false });
    await clock.advance(2_000);
    await expect(stuck.pod.warm).rejects.toThrow(reason);
    change(late.pod.workerId, ready);
    await clock.advance(1_000);
    expect([late.isWarm(), deleted]).toEqual([true, [stuck.pod.workerId]]);
  });

  it('I5: a pod that no node has room for ends after ten minutes, and one that was warm does not', async () => {
    const { clock, change, start, ready } = openRun();
    const [unplaced, warm] = [await start(), await start()];
    change(unplaced.pod.workerId, { reason: '0/3 nodes are available' });
    change(warm.pod.workerId, ready);
    await clock.advance(590_000);
    change(warm.pod.workerId, { isReady: false });
    expect(unplaced.end()).toBeUndefined();
    await clock.advance(20_000);
    await expect(unplaced.pod.warm).rejects.toThrow('0/3 nodes are available');
    expect(warm.end()).toBeUndefined();
  });

  it('I6: ends what an earlier start has left, and says when it may not', async () => {
    const { pods, deleted, state, provider } = openRun();
    const left = { phase: 'Running', address: undefined, isReady: true, exitCode: undefined, reason: undefined };
    pods.set('w-old', { name: 'w-old', ...left, isStuck: false });
    await provider.sweep();
    expect([deleted, pods.size]).toEqual([['w-old'], 0]);
    state.isAway = true;
    await expect(provider.sweep()).rejects.toThrow('the cluster is away');
  });

  it('I3: a look that fails changes nothing, is logged once, and is followed by fewer', async () => {
    const { clock, state, change, start, ready, log } = openRun();
    const { pod, isWarm, end } = await start();
    state.isAway = true;
    change(pod.workerId, ready);
    await clock.advance(60_000);
    expect([isWarm(), end(), log.records.map(({ level }) => level)]).toEqual([false, undefined, ['warning']]);
    expect(state.looks).toBeLessThan(20);
    state.isAway = false;
    await clock.advance(5_000);
    expect([isWarm(), log.records.map(({ level }) => level)]).toEqual([true, ['warning', 'information']]);
  });

  it('I4: looks seldom when all is calm, never without pods, and leaves none behind', async () => {
    const { clock, state, change, start, ready, provider, deleted } = openRun();
    await clock.advance(60_000);
    expect(state.looks).toBe(0);
    const { pod, end } = await start();
    change(pod.workerId, ready);
    await clock.advance(1_000);
    const before = state.looks;
    await clock.advance(50_000);
    expect(state.looks - before).toBeLessThanOrEqual(11);
    await provider.close(1_000);
    await clock.settle();
    expect([deleted, end() !== undefined, clock.pendingTimers]).toEqual([[pod.workerId], true, 0]);
    await expect(provider.startPod(nodeStack).warm).rejects.toThrow('closed');
  });

  it('I4: deletes a pod when the cluster can be told, and logs that it could not be once', async () => {
    const { clock, state, change, start, ready, deleted, pods, log } = openRun();
    const { pod, end } = await start();
    change(pod.workerId, ready);
    await clock.advance(1_000);
    state.isAway = true;
    pod.stop(3_000);
    await clock.advance(30_000);
    expect([deleted, pods.size]).toEqual([[], 1]);
    expect(log.records.filter(({ message }) => message === 'A pod could not be removed')).toHaveLength(1);
    state.isAway = false;
    await clock.advance(10_000);
    expect([deleted, end() !== undefined, clock.pendingTimers]).toEqual([[pod.workerId], true, 0]);
  });

  it('I4: deletes what was left of a pod that ended while the cluster was away', async () => {
    const { clock, state, start, deleted, pods } = openRun();
    state.loss = new Error('socket hang up');
    state.isAway = true;
    const { pod, end } = await start();
    await clock.advance(10_000);
    expect([end() !== undefined, pods.size]).toEqual([true, 1]);
    state.isAway = false;
    await clock.advance(10_000);
    expect([deleted, clock.pendingTimers]).toEqual([[pod.workerId], 0]);
  });
});
