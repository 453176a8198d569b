import assert from 'node:assert/strict';
import type { AgentCase } from '../contract.ts';
import { errorCode } from '../error-code.ts';

export const additionCases: readonly AgentCase[] = [
  {
    section: 'GET /jobs',
    name: 'lists jobs, newest first, by state and label',
    isAddition: true,
    async run(agent) {
      const jobs = ['a', 'b'].map((word) => agent.job(`echo ${word}`));
      const mark = jobs[0]?.job_id ?? '';
      for (const job of jobs) await agent.run({ ...job, labels: { kit: mark } });
      const { status, json } = await agent.call(`/jobs?state=finished&label=${encodeURIComponent(`kit=${mark}`)}`);
      assert.equal(status, 200);
      const ids = ((json?.jobs ?? []) as { job_id: string }[]).map(({ job_id: id }) => id);
      assert.deepEqual(ids, jobs.map(({ job_id: id }) => id).reverse());
      assert.equal((await agent.call('/jobs?state=nonsense')).status, 400);
    },
  },
  {
    section: 'GET /jobs/{job_id}',
    name: 'waits for the end when it is asked to',
    isAddition: true,
    async run(agent) {
      const job = agent.job('sleep 1; echo waited');
      await agent.submit(job);
      const { json } = await agent.call(`/jobs/${job.job_id}?wait_seconds=60`);
      assert.equal(json?.state, 'finished');
      assert.equal(json?.stdout, 'waited\n');
    },
  },
  {
    section: 'GET /jobs/{job_id}/logs',
    name: 'streams the output and the end as server-sent events',
    isAddition: true,
    async run(agent) {
      const job = agent.job('echo one; sleep 0.5; echo two >&2; exit 3');
      await agent.submit(job);
      const { type, text } = await agent.call(`/jobs/${job.job_id}/logs`);
      assert.match(type, /^text\/event-stream/);
      const events = [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, name, data]) => [
        name,
        JSON.parse(data ?? ''),
      ]);
      assert.deepEqual(
        events.map(([name]) => name),
        ['output', 'output', 'ended'],
      );
      assert.deepEqual(events[0]?.[1], { stream: 'stdout', text: 'one\n' });
      assert.equal(events[2]?.[1].exit_code, 3);
    },
  },
  {
    section: 'GET /metrics',
    name: 'gives measurements in the Prometheus text format',
    isAddition: true,
    async run(agent) {
      const { status, text } = await agent.call('/metrics');
      assert.equal(status, 200);
      for (const line of text.trimEnd().split('\n'))
        assert.match(line, /^(# (HELP|TYPE) .+|[a-z_][a-z0-9_]*(\{[^}]*\})? -?[\d.e+-]+)$/);
    },
  },
  {
    section: 'GET /openapi.json',
    name: 'describes every path',
    isAddition: true,
    async run(agent) {
      const { json } = await agent.call('/openapi.json');
      assert.match(String(json?.openapi), /^3\./);
      const paths = Object.keys(json?.paths as object);
      for (const path of ['/info', '/health', '/jobs', '/jobs/{job_id}']) assert.ok(paths.includes(path), path);
    },
  },
  {
    section: 'Execution',
    name: 'a job has no network unless it asks for one that is allowed',
    isAddition: true,
    async run(agent) {
      assert.equal((await agent.run(agent.job('ls /sys/class/net'))).stdout, 'lo\n');
      const { status, json } = await agent.post(agent.job('', { network: 'kit-no-such-network' }));
      assert.equal(status, 400);
      assert.equal(errorCode(json), 'NETWORK_NOT_ALLOWED');
    },
  },
  {
    section: 'Execution',
    name: 'a job has neither capabilities nor a way to new ones, and a root that it cannot write',
    isAddition: true,
    async run(agent) {
      const script = 'cat /proc/self/status; touch /kit-was-here && echo WRITTEN';
      const { stdout } = await agent.run(agent.job(script));
      assert.match(stdout, /^CapEff:\t0+$/m);
      assert.match(stdout, /^NoNewPrivs:\t1$/m);
      assert.ok(!stdout.includes('WRITTEN'));
    },
  },
];
