import assert from 'node:assert/strict';
import type { AgentCase } from '../contract.ts';

const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

export const statusCases: readonly AgentCase[] = [
  {
    section: 'GET /info',
    name: 'names the agent and its machine',
    async run(agent) {
      const { status, type, json } = await agent.call('/info');
      assert.equal(status, 200);
      assert.match(type, /^application\/json/);
      for (const name of ['worker_id', 'hostname']) assert.equal(typeof json?.[name], 'string', name);
      for (const name of ['cpu_cores', 'cpu_threads', 'memory_mb']) assert.ok(isNumber(json?.[name]), name);
      assert.equal(json?.protocol_version, 1);
      assert.ok(Array.isArray(json?.labels), 'labels');
    },
  },
  {
    section: 'GET /info',
    name: 'says the same each time',
    async run(agent) {
      const [first, second] = [await agent.call('/info'), await agent.call('/info')];
      assert.equal(typeof first.json?.worker_id, 'string');
      for (const name of ['worker_id', 'hostname', 'cpu_threads'])
        assert.equal(first.json?.[name], second.json?.[name]);
    },
  },
  {
    section: 'GET /health',
    name: 'tells how busy the agent is',
    async run(agent) {
      const { status, json } = await agent.call('/health');
      assert.equal(status, 200);
      assert.equal(typeof json?.status, 'string');
      for (const name of ['uptime_seconds', 'running_jobs', 'max_concurrent_jobs'])
        assert.ok(isNumber(json?.[name]), name);
      const load = json?.load_average;
      assert.ok(Array.isArray(load) && load.length === 3 && load.every(isNumber), 'load_average');
      assert.ok(Number(json?.running_jobs) <= Number(json?.max_concurrent_jobs));
      if (json !== undefined && 'temperature_c' in json) assert.equal(typeof json.temperature_c, 'number');
    },
  },
  {
    section: 'GET /health',
    name: 'counts a job that runs',
    isDisruptive: true,
    async run(agent) {
      const job = agent.job('sleep 100');
      await agent.submit(job);
      await agent.until(job.job_id, ({ state }) => state === 'running');
      assert.ok(Number((await agent.call('/health')).json?.running_jobs) >= 1);
      await agent.cancel(job.job_id);
      await agent.ended(job.job_id);
    },
  },
];
