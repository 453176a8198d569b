import assert from 'node:assert/strict';
import type { AgentCase, AgentUnderTest } from '../contract.ts';

/** Takes all places of the agent, does the work, and gives them back. */
async function whileFull(agent: AgentUnderTest, work: () => Promise<void>): Promise<void> {
  const places = await placesOf(agent);
  const jobs = Array.from({ length: places }, () => agent.job('sleep 1000'));
  try {
    for (const job of jobs) await agent.submit(job);
    for (const job of jobs) await agent.until(job.job_id, ({ state }) => state === 'running');
    await work();
  } finally {
    for (const job of jobs) await agent.cancel(job.job_id);
    for (const job of jobs) await agent.ended(job.job_id);
  }
}

async function placesOf(agent: AgentUnderTest): Promise<number> {
  const places = Number((await agent.call('/health')).json?.max_concurrent_jobs);
  assert.ok(Number.isInteger(places) && places > 0, 'max_concurrent_jobs');
  return places;
}

export const schedulingCases: readonly AgentCase[] = [
  {
    section: 'Scheduling',
    name: 'a job waits while all places are taken, and runs afterwards',
    isDisruptive: true,
    async run(agent) {
      const waits = agent.job('echo at last');
      await whileFull(agent, async () => {
        await agent.submit(waits);
        assert.equal((await agent.look(waits.job_id)).state, 'queued');
        const { json } = await agent.call('/health');
        assert.equal(json?.running_jobs, json?.max_concurrent_jobs);
      });
      assert.equal((await agent.ended(waits.job_id)).stdout, 'at last\n');
    },
  },
  {
    section: 'Scheduling',
    name: 'jobs start in the order in which they came, and never too many at once',
    isDisruptive: true,
    async run(agent) {
      const places = await placesOf(agent);
      const jobs = Array.from({ length: Math.min(3 * places, 50) }, () => agent.job('sleep 0.2; echo once'));
      for (const job of jobs) await agent.submit(job);
      const records = await Promise.all(jobs.map(({ job_id: id }) => agent.ended(id)));
      assert.ok(records.every(({ state, stdout }) => state === 'finished' && stdout === 'once\n'));
      const starts = records.map(({ started_at: at }) => Date.parse(at ?? ''));
      assert.deepEqual(
        starts,
        [...starts].sort((left, right) => left - right),
      );
      const changes = records.flatMap(({ started_at: from, finished_at: to }) => [
        [Date.parse(from ?? ''), 1] as const,
        [Date.parse(to ?? ''), -1] as const,
      ]);
      changes.sort(([leftMs, left], [rightMs, right]) => leftMs - rightMs || left - right);
      let running = 0;
      for (const [, change] of changes) {
        running += change;
        assert.ok(running <= places, `${running} ran at once, and ${places} may`);
      }
    },
  },
  {
    section: 'DELETE /jobs/{job_id}',
    name: 'a job that waits is cancelled at once, with 200, and never runs',
    isDisruptive: true,
    async run(agent) {
      const waits = agent.job('echo never');
      await whileFull(agent, async () => {
        await agent.submit(waits);
        const { status, json } = await agent.cancel(waits.job_id);
        assert.equal(status, 200);
        assert.equal(json?.job_id, waits.job_id);
        assert.equal(typeof json?.note, 'string');
      });
      const record = await agent.ended(waits.job_id);
      assert.equal(record.state, 'failed');
      assert.equal(record.started_at, null);
      assert.equal(record.stdout, '');
    },
  },
  {
    section: 'DELETE /jobs/{job_id}',
    name: 'a job that runs is stopped, with 202, also when it ignores the signal',
    async run(agent) {
      const job = agent.job('trap "" TERM; while true; do sleep 0.1; done');
      await agent.submit(job);
      await agent.until(job.job_id, ({ state }) => state === 'running');
      const { status, json } = await agent.cancel(job.job_id);
      assert.equal(status, 202);
      assert.equal(json?.job_id, job.job_id);
      const record = await agent.ended(job.job_id);
      assert.equal(record.state, 'failed');
      assert.equal(record.error?.code, 'CANCELLED');
    },
  },
  {
    section: 'DELETE /jobs/{job_id}',
    name: 'changes nothing about a job that has ended',
    async run(agent) {
      const job = agent.job('echo x');
      const before = await agent.run(job);
      assert.ok((await agent.cancel(job.job_id)).status < 300);
      assert.deepEqual(await agent.look(job.job_id), before);
    },
  },
  {
    section: 'DELETE /jobs/{job_id}',
    name: 'answers 404 for a job that nobody submitted',
    async run(agent) {
      const { status, json } = await agent.cancel(agent.job('').job_id);
      assert.equal(status, 404);
      assert.equal(json?.state, 'not_found');
    },
  },
  {
    section: 'GET /jobs/{job_id}',
    name: 'answers 404 for a job that nobody submitted',
    async run(agent) {
      const { job_id: jobId } = agent.job('');
      const { status, json } = await agent.call(`/jobs/${jobId}`);
      assert.equal(status, 404);
      assert.equal(json?.job_id, jobId);
      assert.equal(json?.state, 'not_found');
    },
  },
];
