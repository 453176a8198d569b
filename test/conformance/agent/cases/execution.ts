import assert from 'node:assert/strict';
import type { AgentCase } from '../contract.ts';

/** ISO 8601 with a time zone. */
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

export const executionCases: readonly AgentCase[] = [
  {
    section: 'Execution',
    name: 'a program that ends with 0 finishes its job',
    async run(agent) {
      const record = await agent.run(agent.job('echo out; echo err >&2'));
      assert.equal(record.state, 'finished');
      assert.equal(record.exit_code, 0);
      assert.equal(record.stdout, 'out\n');
      assert.equal(record.stderr, 'err\n');
      assert.equal(record.error ?? null, null);
    },
  },
  {
    section: 'Execution',
    name: 'a program that ends with another code fails its job',
    async run(agent) {
      const record = await agent.run(agent.job('echo partial; exit 42'));
      assert.equal(record.state, 'failed');
      assert.equal(record.exit_code, 42);
      assert.equal(record.stdout, 'partial\n');
      assert.equal(record.error?.code, 'RUNTIME_ERROR');
    },
  },
  {
    section: 'Execution',
    name: 'a record tells when things happened, in order',
    async run(agent) {
      const record = await agent.run(agent.job('sleep 1'));
      const times = [record.created_at, record.started_at, record.finished_at].map((text) => text ?? '');
      for (const text of times) assert.match(text, timestamp);
      const [created = 0, started = 0, finished = 0] = times.map((text) => Date.parse(text));
      assert.ok(created <= started && started + 900 <= finished, times.join(' '));
    },
  },
  {
    section: 'Execution',
    name: 'the payload arrives on stdin as it was sent',
    async run(agent) {
      const payload = { text: 'ü "quoted" \\', numbers: [1, 2.5], nothing: null };
      const record = await agent.run({ ...agent.job('cat'), task: { type: 'kit', payload } });
      assert.deepEqual(JSON.parse(record.stdout), payload);
    },
  },
  {
    section: 'Execution',
    name: 'a large payload arrives whole',
    async run(agent) {
      const payload = 'x'.repeat(1_000_000);
      const record = await agent.run({ ...agent.job('wc -c'), task: { type: 'kit', payload } });
      assert.equal(record.stdout.trim(), '1000002');
    },
  },
  {
    section: 'Execution',
    name: 'variables reach the program',
    async run(agent) {
      const env = { KIT_ONE: 'a b=c', KIT_EMPTY: '' };
      const record = await agent.run(agent.job('echo "[$KIT_ONE][$KIT_EMPTY]"', { env }));
      assert.equal(record.stdout, '[a b=c][]\n');
    },
  },
  {
    section: 'Execution',
    name: 'a program that is not in the image fails its job',
    async run(agent) {
      const record = await agent.run(agent.job('', { cmd: ['/no/such/program'] }));
      assert.equal(record.state, 'failed');
      assert.ok(['RUNTIME_ERROR', 'DOCKER_ERROR'].includes(record.error?.code ?? ''));
    },
  },
  {
    section: 'Execution',
    name: 'a job ends at its time limit',
    async run(agent) {
      const record = await agent.run(agent.job('sleep 1000', { limits: { max_runtime_seconds: 1 } }));
      assert.equal(record.state, 'failed');
      assert.equal(record.error?.code, 'TIMEOUT');
    },
  },
  {
    section: 'Execution',
    name: 'a job that takes more memory than it has fails',
    async run(agent) {
      const record = await agent.run(agent.job('', { cmd: ['tail', '/dev/zero'], limits: { memory_mb: 16 } }));
      assert.equal(record.state, 'failed');
      assert.equal(record.error?.code, 'OUT_OF_MEMORY');
    },
  },
  {
    section: 'Execution',
    name: 'output without end is cut, and the job ends all the same',
    async run(agent) {
      const record = await agent.run(agent.job('echo BEGIN; head -c 30000000 /dev/zero; echo END'));
      assert.equal(record.state, 'finished');
      assert.ok(record.stdout.length < 30_000_000, 'all of it was kept');
      assert.ok(record.stdout.startsWith('BEGIN\n'), 'its beginning is lost');
    },
  },
  {
    section: 'Execution',
    name: 'jobs see nothing of one another',
    async run(agent) {
      const write = 'echo secret > ./mine 2>/dev/null; echo secret > /tmp/mine 2>/dev/null; echo done';
      assert.equal((await agent.run(agent.job(write))).stdout, 'done\n');
      const read = 'cat ./mine /tmp/mine 2>/dev/null; echo nothing';
      assert.equal((await agent.run(agent.job(read))).stdout, 'nothing\n');
    },
  },
];
