import { Secret } from '@switchyard/kernel';
import type { HttpAsk, HttpReply } from '@switchyard/protocol/http-exchange';
import { formatEvent, type JobRequestInput, parseJobRequest } from '@switchyard/protocol/job-api';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { nodeStack } from '../../testing/fake-provider.ts';
import { type ProviderRun, podProviderContract } from '../../testing/pod-provider-contract.ts';
import { createAgentPods } from './agent-pods.ts';

interface ScriptedJob {
  readonly request: JobRequestInput;
  readonly sidecarUrl: string;
  readonly certificate?: string;
  isReady: boolean;
  state: 'running' | 'finished' | 'failed';
  exitCode: number | null;
}

const toReply = (status: number, value: unknown): HttpReply => ({ status, text: JSON.stringify(value) });

/** A record as an agent tells it; what nobody looks at here is left as it is at first. */
function toRecord({ request, state, exitCode }: ScriptedJob): object {
  return {
    ...{ job_id: request.job_id, state, created_at: '2026-01-01T00:00:00.000Z', exit_code: exitCode, error: null },
    ...{ started_at: null, finished_at: null, task_type: '', labels: request.labels ?? {}, mode: 'image' },
    ...{
      lifecycle: 'pod',
      image: null,
      cancel_requested: false,
      restarts: 0,
      health: 'none',
      address: null,
      ports: {},
    },
    limits: { memory_mb: 1_024, max_runtime_seconds: null, cpus: 1, pids: 100, workspace_mb: 1, output_bytes: 1 },
    ...{ stdout: '', stderr: '' },
    ...{ stdout_dropped_bytes: 0, stderr_dropped_bytes: 0 },
  };
}

const openState = () => ({
  refusal: undefined as string | undefined,
  isAway: false,
  /** It takes what it is told, and nobody hears of it. */
  isDeaf: false,
  reply: { status: 200, text: '{}' } as HttpReply | Error,
  health: { status: 200, text: '{}' } as HttpReply | Error,
});

const orThrow = (reply: HttpReply | Error): HttpReply => {
  if (reply instanceof Error) throw reply;
  return reply;
};

/** Which certificate is believed where. */
function openTrust() {
  const trusted = new Map<string, string>();
  const trust = (origins: readonly string[], certificate: string) => {
    for (const origin of origins) trusted.set(origin, certificate);
    return () => {
      for (const origin of origins) trusted.delete(origin);
    };
  };
  return { trusted, trust };
}

/** The lines of a container whose sidecar listens. */
function linesOf({ sidecarUrl: url, certificate }: ScriptedJob): string {
  const httpUrl = url.replace(':1', ':2');
  // What comes before is no line of the sidecar, and what comes after is not complete.
  return `a warning\n${JSON.stringify({ message: 'Sidecar is up', url, httpUrl, certificate })}\n{"mes`;
}

/** An agent with its containers, as a provider meets them over HTTP. */
function openRun() {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const jobs = new Map<string, ScriptedJob>();
  const tokens: (string | undefined)[] = [];
  const asked: string[] = [];
  const state = openState();
  const agent = ({ method, url, headers, body }: HttpAsk): HttpReply => {
    if (state.isAway) throw new Error('the agent is away');
    expect(headers.authorization).toBe('Bearer agent');
    const jobId = url.split('/jobs/')[1] ?? '';
    const job = jobs.get(jobId.replace('/logs?follow=false', ''));
    if (job !== undefined && jobId.endsWith('/logs?follow=false')) {
      return { status: 200, text: formatEvent('output', { stream: 'stdout', text: linesOf(job) }) };
    }
    if (method === 'POST') {
      if (state.refusal !== undefined) return toReply(400, { error: { message: state.refusal } });
      const request = JSON.parse(body ?? '') as JobRequestInput;
      expect(parseJobRequest(request).kind).toBe('valid');
      const sidecarUrl = `http://127.0.0.1:${10_000 + jobs.size}`;
      jobs.set(request.job_id, { request, sidecarUrl, isReady: false, state: 'running', exitCode: null });
      if (state.isDeaf) throw new Error('no answer');
      return toReply(202, { accepted: true });
    }
    if (job === undefined) return toReply(404, {});
    if (method === 'DELETE') job.state = 'failed';
    return toReply(method === 'DELETE' ? 202 : 200, toRecord(job));
  };
  const exchange = async (ask: HttpAsk): Promise<HttpReply> => {
    asked.push(`${ask.method} ${ask.url}`);
    if (ask.url.startsWith('http://agent')) return agent(ask);
    const job = [...jobs.values()].find(({ sidecarUrl }) => ask.url.startsWith(sidecarUrl));
    if (ask.url.endsWith('/ready')) return toReply(job?.isReady === true ? 200 : 503, {});
    if (ask.url.endsWith('/health')) return orThrow(state.health);
    tokens.push(ask.headers.authorization);
    return orThrow(state.reply);
  };
  const { trusted, trust } = openTrust();
  const provider = createAgentPods(
    { clock, log, random: createSeededRandom(1), exchange, trust, tokenFor: async (id) => new Secret(`for ${id}`) },
    {
      ...{ agentUrl: 'http://agent', agentToken: new Secret('agent'), installation: 'test' },
      imageOf: ({ version }) => (version === '24' ? 'worker-node:24' : undefined),
      ...{ sidecarFlags: ['--keys=http://127.0.0.1:1/jwks.json'], limits: { memoryMb: 512, cpus: 0.5 } },
    },
  );
  const change = (workerId: string, more: Partial<ScriptedJob>): void => {
    Object.assign(jobs.get(workerId) ?? {}, more);
  };
  const run: ProviderRun = {
    ...{ provider, tokens },
    pass: () => clock.advance(6_000),
    becomeReady: (workerId) => change(workerId, { isReady: true }),
    exit: (workerId, exitCode) => change(workerId, { state: 'failed', exitCode }),
    running: () => [...jobs].filter(([, job]) => job.state === 'running').map(([workerId]) => workerId),
    refuse(reason) {
      state.refusal = reason;
    },
    answer(reply) {
      state.reply = reply;
    },
    health(reply) {
      state.health = reply;
    },
  };
  return { ...run, clock, log, jobs, state, asked, trusted, change };
}

describe('createAgentPods', () => {
  podProviderContract({ it, equal: (actual, expected) => expect(actual).toEqual(expected) }, openRun);

  it('asks for a pod that is a placeholder within its limits, and nothing more than that', async () => {
    const { provider, clock, jobs } = openRun();
    const { workerId } = provider.startPod(nodeStack);
    await clock.settle();
    expect(jobs.get(workerId)?.request).toEqual({
      ...{ protocol_version: 1, job_id: workerId, labels: { 'switchyard.installation': 'test' } },
      runtime: {
        ...{ mode: 'image', image: 'worker-node:24', lifecycle: 'pod' },
        cmd: ['sidecar', '--json', '--keys=http://127.0.0.1:1/jwks.json'],
        env: { FUNCTIONS_WORKER_RUNTIME: 'node', IS_PLACEHOLDER: 'true', WORKER_ID: workerId, SIDECAR_PORT: '0' },
        limits: { memory_mb: 512, cpus: 0.5 },
      },
    });
  });

  it('believes the certificate that a pod has told its agent, where that is shown and while it lives', async () => {
    const { provider, pass, change, exit, trusted, jobs } = openRun();
    const { workerId } = provider.startPod(nodeStack);
    await pass();
    expect(trusted.size).toBe(0);
    change(workerId, { certificate: 'its own' });
    await pass();
    const url = jobs.get(workerId)?.sidecarUrl;
    expect([...trusted]).toEqual([
      [url, 'its own'],
      [url?.replace(':1', ':2'), 'its own'],
    ]);
    exit(workerId, 1);
    await pass();
    expect(trusted.size).toBe(0);
  });

  it('I1: is warm when its sidecar is ready, not when the container runs', async () => {
    const { provider, pass, becomeReady, asked } = openRun();
    const pod = provider.startPod(nodeStack);
    let isWarm = false;
    void pod.warm.then(() => {
      isWarm = true;
    });
    await pass();
    expect([isWarm, asked.some((line) => line.endsWith('/ready'))]).toEqual([false, true]);
    becomeReady(pod.workerId);
    await pass();
    expect(isWarm).toBe(true);
  });

  it('I2: a pod that was given up before the agent had it is cancelled all the same', async () => {
    const { provider, pass, running } = openRun();
    const pod = provider.startPod(nodeStack);
    pod.stop(0);
    await pass();
    expect(running()).toEqual([]);
    await expect(pod.warm).rejects.toThrow('failed');
  });

  it('I3: an agent that is away changes nothing, is logged once, and is asked less often', async () => {
    const { provider, pass, becomeReady, state, log, clock, asked } = openRun();
    const pod = provider.startPod(nodeStack);
    await clock.settle();
    becomeReady(pod.workerId);
    state.isAway = true;
    await clock.advance(60_000);
    expect(log.withMessage('The pods of the node agent could not be looked at')).toHaveLength(1);
    expect(asked.length).toBeLessThan(30);
    state.isAway = false;
    await pass();
    await pod.warm;
    expect(log.withMessage('The pods of the node agent can be looked at again')).toHaveLength(1);
  });

  it('I4: cancels a pod when the agent can be told, also one that it may have got without an answer', async () => {
    const { provider, pass, becomeReady, running, state, clock } = openRun();
    const pod = provider.startPod(nodeStack);
    await clock.settle();
    becomeReady(pod.workerId);
    await pass();
    state.isDeaf = true;
    const lost = provider.startPod(nodeStack);
    await expect(clock.runUntil(lost.warm)).rejects.toThrow('no answer');
    state.isAway = true;
    pod.stop(0);
    await clock.advance(30_000);
    expect(running()).toEqual([pod.workerId]);
    Object.assign(state, { isAway: false, isDeaf: false });
    await clock.advance(10_000);
    expect([running(), clock.pendingTimers]).toEqual([[], 0]);
  });

  it('I4: looks seldom when all is calm, never without pods, and has no timer in the end', async () => {
    const { provider, pass, clock, becomeReady, asked } = openRun();
    await pass();
    expect(asked).toEqual([]);
    const pod = provider.startPod(nodeStack);
    await clock.settle();
    becomeReady(pod.workerId);
    await pass();
    const before = asked.length;
    await clock.advance(50_000);
    expect(asked.length - before).toBeLessThanOrEqual(11);
    pod.stop(0);
    await pass();
    expect(clock.pendingTimers).toBe(0);
  });
});
