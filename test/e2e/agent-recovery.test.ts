/** What becomes of jobs and pods when the agent, or the container engine beneath it, goes away in the middle. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestEngine, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { job, shellJob } from './agent-jobs.ts';
import { AgentProcess } from './agent-process.ts';

const { skip } = requireTestEngine();

/** Ends by itself once its workspace holds a file `go`; counts how often it was begun. */
const waitsForGo = 'echo begun; until [ -e $JOB_WORKSPACE/go ]; do sleep 0.1; done; echo went; exit 3';

describe.skipIf(skip)('a node agent', () => {
  let engine: TestEngine;
  let agent: AgentProcess;
  const containers = async (): Promise<unknown[]> =>
    (await engine.client.send({ method: 'GET', path: '/containers/json', query: { all: 1 } })) as unknown[];
  const printed = async (jobId: string): Promise<string> => {
    const response = await fetch(`${agent.url}/jobs/${jobId}/logs?follow=false`);
    return await response.text();
  };
  /** Lets a job end that waits for it. */
  const go = async (jobId: string): Promise<void> => {
    const id = ((await containers()) as { Id: string; Labels: Record<string, string> }[]).find(
      ({ Labels: labels }) => labels['switchyard.job'] === jobId,
    )?.Id;
    const found = (await engine.client.send({ method: 'GET', path: `/containers/${id}/json` })) as {
      Mounts: { Source: string }[];
    };
    writeFileSync(join(found.Mounts[0]?.Source ?? '', 'go'), '');
  };

  describe('on an engine that ends containers with itself', () => {
    beforeEach(async () => {
      engine = await openTestEngine();
    });
    afterEach(async () => {
      try {
        await agent.close();
      } finally {
        await engine.close();
      }
    });

    it('with a durable store goes on after a crash as if nothing had been', async () => {
      agent = await AgentProcess.start({
        workerId: 'durable',
        socketPath: engine.socketPath,
        durable: true,
        settings: { MAX_CONCURRENT_JOBS: '2' },
      });
      await agent.run(job('done', ['echo', 'kept']));
      for (const id of ['one', 'two']) await agent.submit(shellJob(id, waitsForGo));
      await agent.submit(job('waits', ['echo', 'at last']));
      for (const id of ['one', 'two']) await expect.poll(() => printed(id)).toContain('begun');
      await agent.crash();
      await go('two');
      await expect
        .poll(
          async () =>
            ((await containers()) as { State: string }[]).filter(({ State: state }) => state === 'exited').length,
        )
        .toBe(1);

      await agent.restart();
      expect(await agent.result('two')).toMatchObject({ state: 'failed', exit_code: 3, stdout: 'begun\nwent\n' });
      expect(await agent.result('waits')).toMatchObject({ state: 'finished', stdout: 'at last\n' });
      expect(await agent.look('one')).toMatchObject({ state: 'running' });
      expect((await agent.post(job('one', ['echo']))).status).toBe(409);
      await go('one');
      expect(await agent.result('one')).toMatchObject({ exit_code: 3, stdout: 'begun\nwent\n' });
      expect(await agent.look('done')).toMatchObject({ state: 'finished', stdout: 'kept\n' });
      await expect.poll(containers).toEqual([]);
      await expect.poll(() => readdirSync(join(agent.folder, 'workspaces'))).toEqual([]);
    });

    it('with a durable store leaves jobs alone when it is stopped in order', async () => {
      agent = await AgentProcess.start({ workerId: 'orderly', socketPath: engine.socketPath, durable: true });
      await agent.submit(shellJob('goes-on', waitsForGo));
      await expect.poll(() => printed('goes-on')).toContain('begun');
      expect(await agent.stop()).toMatchObject({ code: 0 });
      expect(await containers()).toMatchObject([{ State: 'running' }]);
      await agent.restart();
      await go('goes-on');
      expect(await agent.result('goes-on')).toMatchObject({ exit_code: 3, stdout: 'begun\nwent\n' });
    });

    it('with a durable store still stops a job at its time limit', async () => {
      agent = await AgentProcess.start({ workerId: 'limits', socketPath: engine.socketPath, durable: true });
      await agent.submit(
        shellJob('late', 'echo begun; sleep 1000', { runtime: { limits: { max_runtime_seconds: 2 } } }),
      );
      await expect.poll(() => printed('late')).toContain('begun');
      await agent.crash();
      await agent.restart();
      expect(await agent.result('late')).toMatchObject({ state: 'failed', error: { code: 'TIMEOUT' } });
    });

    it('with a memory store removes after a crash what it left, and knows nothing of it', async () => {
      agent = await AgentProcess.start({ workerId: 'forgetful', socketPath: engine.socketPath });
      await agent.submit(shellJob('lost', waitsForGo));
      await expect.poll(() => printed('lost')).toContain('begun');
      await agent.crash();
      expect(await containers()).toMatchObject([{ State: 'running' }]);
      await agent.restart();
      await expect.poll(containers).toEqual([]);
      await expect.poll(() => readdirSync(join(agent.folder, 'workspaces'))).toEqual([]);
      expect((await agent.call('/jobs/lost')).status).toBe(404);
      expect((await agent.run(job('lost', ['echo', 'anew']))).stdout).toBe('anew\n');
    });

    it('says what became of a job whose engine was killed, and runs the next one when it is back', async () => {
      agent = await AgentProcess.start({ workerId: 'engine', socketPath: engine.socketPath });
      await agent.submit(shellJob('hit', waitsForGo));
      await expect.poll(() => printed('hit')).toContain('begun');
      await engine.stop('SIGKILL');
      await expect.poll(async () => (await agent.call('/health')).body).toMatchObject({ status: 'degraded' });
      await agent.submit(job('patient', ['echo', 'waited']));
      await engine.start();
      expect(await agent.result('hit')).toMatchObject({
        state: 'failed',
        stdout: 'begun\n',
        error: { code: 'DOCKER_ERROR' },
      });
      expect(await agent.result('patient')).toMatchObject({ state: 'finished', stdout: 'waited\n' });
      expect((await agent.call('/health')).body).toMatchObject({ status: 'ok' });
      await expect.poll(containers).toEqual([]);
    });

    it('starts without an engine, says so, and works when it comes', async () => {
      await engine.stop();
      agent = await AgentProcess.start({ workerId: 'early', socketPath: engine.socketPath });
      expect((await agent.call('/info')).body).toMatchObject({
        driver: { available: false, reason: expect.any(String) },
      });
      await agent.submit(job('early', ['echo', 'x']));
      await engine.start();
      expect(await agent.result('early')).toMatchObject({ state: 'finished', stdout: 'x\n' });
    });

    it('keeps a pod alive, restarts it when it fails, and takes it over after a crash', async () => {
      agent = await AgentProcess.start({
        workerId: 'pods',
        socketPath: engine.socketPath,
        durable: true,
        settings: { POD_NETWORK: 'none' },
      });
      const runtime = {
        lifecycle: 'pod',
        restart: { policy: 'on_failure', max_restarts: 5 },
        health: { cmd: ['sh', '-c', 'test -e $JOB_PAYLOAD_FILE'], interval_seconds: 1 },
      };
      await agent.submit(shellJob('pod', 'sleep 1000', { runtime }));
      await expect.poll(() => agent.look('pod')).toMatchObject({ state: 'running', restarts: 0, health: 'healthy' });
      const [{ Id: id } = { Id: '' }] = (await containers()) as { Id: string }[];
      await engine.client.send({ method: 'POST', path: `/containers/${id}/kill` });
      await expect.poll(() => agent.look('pod')).toMatchObject({ state: 'running', restarts: 1, health: 'healthy' });
      expect((await agent.look('pod')).limits).toMatchObject({ max_runtime_seconds: null });
      await agent.crash();
      await agent.restart();
      await expect.poll(() => agent.look('pod')).toMatchObject({ state: 'running', restarts: 1, health: 'healthy' });
      expect(await agent.cancel('pod')).toMatchObject({ status: 202 });
      expect(await agent.result('pod')).toMatchObject({ state: 'failed', error: { code: 'CANCELLED' } });
      await expect.poll(containers).toEqual([]);
    });
  });

  it('loses nothing of a job when the engine restarts and keeps its containers', async () => {
    engine = await openTestEngine({ liveRestore: true });
    try {
      agent = await AgentProcess.start({ workerId: 'live', socketPath: engine.socketPath });
      await agent.submit(shellJob('survives', waitsForGo));
      await expect.poll(() => printed('survives')).toContain('begun');
      await engine.stop();
      await engine.start();
      await go('survives');
      expect(await agent.result('survives')).toMatchObject({
        exit_code: 3,
        stdout: 'begun\nwent\n',
        error: { code: 'DOCKER_ERROR' },
      });
    } finally {
      try {
        await agent.close();
      } finally {
        await engine.close();
      }
    }
  });
});
