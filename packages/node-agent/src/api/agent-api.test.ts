import { connect } from 'node:net';
import {
  acceptedSchema,
  agentHealthSchema,
  agentInfoSchema,
  cancellationSchema,
  jobListSchema,
  jobNotFoundSchema,
  jobRecordSchema,
  readEvents,
  rejectedSchema,
} from '@switchyard/protocol/job-api';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, ApiBench } from '../testing/api-bench.ts';
import { sampleBody } from '../testing/sample-job.ts';

let bench: ApiBench;
async function open(options: ConstructorParameters<typeof ApiBench>[0] = {}): Promise<ApiBench> {
  bench = new ApiBench(options);
  await bench.open();
  return bench;
}
afterEach(() => bench.close());

const body = (id: string, ...cmd: string[]) => sampleBody(id, { runtime: { cmd } });
const codeOf = ({ json }: Answer): unknown => (json?.error as { code?: unknown } | undefined)?.code;

/** The names and data of a whole stream of events. */
async function eventsOf({ text }: Answer): Promise<[string, unknown][]> {
  async function* source() {
    yield Buffer.from(text);
  }
  const events: [string, unknown][] = [];
  for await (const { name, data } of readEvents(source())) events.push([name, data]);
  return events;
}

describe('the endpoints of version 1', () => {
  it('tells what the machine is', async () => {
    await open();
    const answer = await bench.call('/info');
    expect(answer.status).toBe(200);
    expect(agentInfoSchema.parse(answer.json)).toMatchObject({
      worker_id: 'bench-1',
      protocol_version: 1,
      cpu_cores: 2,
      cpu_threads: 4,
      labels: ['gpu'],
      driver: { name: 'mock', available: true },
    });
  });

  it('tells how the machine is', async () => {
    await open();
    await bench.post(body('a', 'sleep', '5'));
    const answer = await bench.call('/health');
    expect(agentHealthSchema.parse(answer.json)).toMatchObject({
      status: 'ok',
      running_jobs: 1,
      load_average: [0.5, 0.25, 0.125],
      temperature_c: 41.5,
    });
    bench.agent.engine.available = false;
    await bench.agent.clock.advance(5_000);
    expect((await bench.call('/health')).json).toMatchObject({ status: 'degraded', uptime_seconds: 5 });
    void bench.agent.service.drain(0);
    expect((await bench.call('/health')).json).toMatchObject({ status: 'draining' });
  });

  it('accepts a job with 202, and answers its record', async () => {
    await open();
    const answer = await bench.post(body('a', 'echo', 'hi'));
    expect(answer.status).toBe(202);
    expect(acceptedSchema.parse(answer.json)).toEqual({ accepted: true, job_id: 'a', state: 'queued' });
    await bench.agent.clock.advance(0);
    const record = await bench.call('/jobs/a');
    expect(record.status).toBe(200);
    expect(jobRecordSchema.parse(record.json)).toMatchObject({ state: 'finished', exit_code: 0, stdout: 'hi\n' });
  });

  it('rejects with 400, a known id with 409, and looks up unknown ones with 404', async () => {
    await open();
    const rejected = await bench.post({ ...body('bad'), protocol_version: 9 });
    expect(rejected.status).toBe(400);
    expect(rejectedSchema.parse(rejected.json)).toMatchObject({ accepted: false, job_id: 'bad', state: 'rejected' });
    await bench.post(body('a', 'echo'));
    const duplicate = await bench.post(body('a', 'echo'));
    expect(duplicate.status).toBe(409);
    expect(rejectedSchema.parse(duplicate.json).error.code).toBe('JOB_ID_ALREADY_EXISTS');
    const unknown = await bench.call('/jobs/unknown');
    expect(unknown.status).toBe(404);
    expect(jobNotFoundSchema.parse(unknown.json)).toMatchObject({ job_id: 'unknown', state: 'not_found' });
    expect((await bench.call('/jobs/unknown', { method: 'DELETE' })).status).toBe(404);
  });

  it('cancels a waiting job with 200 and a running one with 202', async () => {
    await open({ scheduling: { maxConcurrentJobs: 1 } });
    await bench.post(body('runs', 'sleep', '50'));
    await bench.post(body('waits', 'sleep', '50'));
    const waits = await bench.call('/jobs/waits', { method: 'DELETE' });
    expect([waits.status, cancellationSchema.parse(waits.json).state]).toEqual([200, 'failed']);
    const runs = await bench.call('/jobs/runs', { method: 'DELETE' });
    expect([runs.status, cancellationSchema.parse(runs.json).state]).toEqual([202, 'running']);
    await bench.agent.clock.advance(1_000);
    expect((await bench.call('/jobs/runs', { method: 'DELETE' })).status).toBe(200);
  });

  it('takes ids that need encoding, and ids that mean something to JavaScript', async () => {
    await open();
    for (const id of ['a/b c?ü#%', '__proto__', 'constructor', '*']) {
      expect((await bench.post(body(id, 'echo'))).status).toBe(202);
      expect((await bench.call(`/jobs/${encodeURIComponent(id)}`)).json).toMatchObject({ job_id: id });
    }
    expect(codeOf(await bench.call('/jobs/%E0%A4%A'))).toBe('INVALID_JOB_ID');
  });
});

describe('what version 1 does not know', () => {
  it('lists jobs with filters and in pages', async () => {
    await open({ scheduling: { maxConcurrentJobs: 1 } });
    for (const id of ['a', 'b', 'c'])
      await bench.post({ ...body(id, 'sleep', '50'), labels: { team: id === 'b' ? 'x' : 'y' } });
    const ids = async (query: string): Promise<string[]> =>
      jobListSchema.parse((await bench.call(`/jobs${query}`)).json).jobs.map((job) => job.job_id);
    expect(await ids('')).toEqual(['c', 'b', 'a']);
    expect(await ids('?state=running')).toEqual(['a']);
    expect(await ids('?state=queued,running&label=team%3Dy')).toEqual(['c', 'a']);
    expect(await ids('?lifecycle=pod')).toEqual([]);
    const first = jobListSchema.parse((await bench.call('/jobs?limit=2')).json);
    expect(await ids(`?limit=2&cursor=${first.next_cursor}`)).toEqual(['a']);
    expect(JSON.stringify(first)).not.toContain('stdout');
  });

  it.each([
    '/jobs?state=gone',
    '/jobs?limit=0',
    '/jobs?limit=1e3',
    '/jobs?cursor=-1',
    '/jobs?label=novalue',
    '/jobs?lifecycle=cat',
    '/jobs?color=red',
    '/jobs?__proto__=1',
    '/jobs/a?wait_seconds=301',
    '/jobs/a/logs?follow=maybe',
  ])('refuses the query of %s', async (path) => {
    await open();
    const answer = await bench.call(path);
    expect([answer.status, codeOf(answer)]).toEqual([400, 'INVALID_QUERY']);
  });

  it('answers when the job has ended, if it is asked to wait', async () => {
    await open();
    await bench.post(body('a', 'sleep', '5'));
    const answer = bench.call('/jobs/a?wait_seconds=60');
    await expect.poll(() => bench.agent.service.waiting).toBe(1);
    await bench.agent.clock.advance(5_000);
    expect((await answer).json).toMatchObject({ state: 'finished' });
  });

  it('streams what a job prints, from the queue to its end', async () => {
    await open({ scheduling: { maxConcurrentJobs: 1 } });
    await bench.post(body('first', 'sleep', '5'));
    await bench.post(body('a', 'spam', '70000'));
    const answer = bench.call('/jobs/a/logs');
    await expect.poll(() => bench.agent.service.waiting).toBe(1);
    await bench.agent.clock.advance(6_000);
    const events = await eventsOf(await answer);
    expect((await answer).headers['content-type']).toBe('text/event-stream');
    expect(events.at(-1)).toEqual(['ended', { job_id: 'a', state: 'finished', exit_code: 0, error: null }]);
    const output = events.filter(([name]) => name === 'output').map(([, data]) => (data as { text: string }).text);
    expect(output.join('')).toBe('y\n'.repeat(35_000));
  });

  it('streams what an ended job printed, and what a running one has printed so far', async () => {
    await open();
    await bench.post(body('done', 'echo', 'hi'));
    await bench.agent.clock.advance(0);
    expect(await eventsOf(await bench.call('/jobs/done/logs?follow=false'))).toEqual([
      ['output', { stream: 'stdout', text: 'hi\n' }],
      ['ended', { job_id: 'done', state: 'finished', exit_code: 0, error: null }],
    ]);
    await bench.post(body('runs', 'sleep', '5'));
    expect(await eventsOf(await bench.call('/jobs/runs/logs?follow=false'))).toEqual([]);
    expect((await bench.call('/jobs/none/logs')).status).toBe(404);
  });

  it('gives measurements and its own description', async () => {
    await open();
    await bench.post(body('a', 'sleep', '5'));
    const metrics = await bench.call('/metrics');
    expect(metrics.headers['content-type']).toContain('version=0.0.4');
    expect(metrics.text).toContain('switchyard_agent_running_jobs 1\n');
    expect(metrics.text).toContain('switchyard_agent_temperature_celsius 41.5\n');
    const document = (await bench.call('/openapi.json')).json as { paths: object };
    expect(Object.keys(document.paths)).toContain('/jobs/{job_id}/logs');
  });

  it('answers HEAD without a body', async () => {
    await open();
    const answer = await bench.call('/info', { method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(100);
  });
});

describe('AgentApi', () => {
  it.each([
    ['no JSON', '{"job_id": ', 400],
    ['nothing', '', 400],
    ['no object', '[1]', 400],
    ['a number', '7', 400],
    ['too much', `"${'x'.repeat(10_001)}"`, 400],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400],
    ['lists within lists', `{"job_id":"deep","task":{"payload":${'['.repeat(3_000)}${']'.repeat(3_000)}}}`, 400],
  ])('I1: rejects a body that is %s', async (_, text, status) => {
    await open();
    const answer = await bench.call('/jobs', { method: 'POST', body: text });
    expect([answer.status, answer.json?.accepted, codeOf(answer)]).toEqual([status, false, 'INVALID_BODY']);
    expect(bench.agent.store.counts().queued).toBe(0);
    expect((await bench.call('/health')).status).toBe(200);
  });

  it('I1: answers paths and methods that there are not', async () => {
    await open();
    for (const path of ['/', '/nope', '/jobs/', '/jobs/a/b', '/jobs/a/logs/x', '/jobs/*', '/toString', '/__proto__'])
      expect([path, (await bench.call(path)).status]).toEqual([path, 404]);
    const wrong = await bench.call('/jobs', { method: 'PUT' });
    expect([wrong.status, wrong.headers.allow, codeOf(wrong)]).toEqual([405, 'GET, POST', 'METHOD_NOT_ALLOWED']);
  });

  it('I1: says what is wrong with a body that is packed', async () => {
    await open();
    const answer = await bench.call('/jobs', { method: 'POST', body: '{}', headers: { 'content-encoding': 'gzip' } });
    expect([answer.status, codeOf(answer), answer.text]).toEqual([
      400,
      'INVALID_BODY',
      expect.stringContaining('Content-Encoding: gzip'),
    ]);
  });

  it('I1: takes a target in absolute form, and a probe that speaks HTTP/1.0 and names no host', async () => {
    await open();
    for (const head of [
      `GET http://127.0.0.1:${bench.port}/jobs?limit=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close`,
      'GET /health HTTP/1.0',
    ]) {
      const socket = connect(bench.port, '127.0.0.1');
      socket.write(`${head}\r\n\r\n`);
      const chunks: Buffer[] = await socket.toArray();
      expect([head, Buffer.concat(chunks).toString().split('\r\n')[0]]).toEqual([head, 'HTTP/1.1 200 OK']);
    }
  });

  it('I1: tells a master when to come again if the queue is full', async () => {
    await open({ scheduling: { maxConcurrentJobs: 1, maxQueued: 1 } });
    for (const id of ['a', 'b']) await bench.post(body(id, 'sleep', '5'));
    const full = await bench.post(body('c', 'sleep', '5'));
    expect([full.status, codeOf(full), full.headers['retry-after']]).toEqual([400, 'QUEUE_FULL', '1']);
  });

  it('I1: gives up on a body that does not come', async () => {
    await open();
    const socket = connect(bench.port, '127.0.0.1');
    socket.write('POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"job');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    await expect.poll(() => bench.agent.clock.pendingTimers).toBeGreaterThan(0);
    await expect
      .poll(async () => {
        await bench.agent.clock.advance(30_000);
        return text;
      })
      .toContain('did not arrive');
    expect(text).toContain('HTTP/1.1 400');
    socket.destroy();
  });

  it('I2: wants the token for everything, and never tells it', async () => {
    await open({ token: 'right-token' });
    for (const authorization of [undefined, 'Bearer wrong', 'Bearer right-token2', 'Basic right-token', 'Bearer']) {
      const headers = authorization === undefined ? {} : { authorization };
      for (const path of ['/info', '/health', '/jobs', '/metrics', '/nope']) {
        const answer = await bench.call(path, { headers });
        expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHORIZED']);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      }
      expect((await bench.post(body('a', 'echo'), headers)).status).toBe(401);
    }
    expect(bench.agent.store.counts()).toMatchObject({ queued: 0, running: 0 });
    const authorization = 'Bearer right-token';
    expect((await bench.post(body('a', 'echo'), { authorization })).status).toBe(202);
    expect(JSON.stringify(bench.agent.log.records)).not.toContain('right-token');
  });

  it.each([
    [{ origin: 'http://evil.example' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ origin: 'null' }],
    [{ host: 'evil.example:9000' }],
  ])('I2: does nothing for a web page: %j', async (headers) => {
    await open();
    const answer = await bench.post(body('a', 'echo'), headers);
    expect([answer.status, codeOf(answer)]).toEqual([403, 'CROSS_ORIGIN']);
    expect(bench.agent.store.get('a')).toBeUndefined();
  });

  it('I2: is asked for by any name where it listens to others, and by local ones where not', async () => {
    await open();
    for (const host of ['localhost:9000', '127.0.0.1', '[::1]:9000', 'BENCH', '10.0.0.7:1'])
      expect([host, (await bench.call('/info', { headers: { host } })).status]).toEqual([host, 200]);
    bench.close();
    await open({ access: { isLoopback: false } });
    expect((await bench.call('/info', { headers: { host: 'agent.example:9000' } })).status).toBe(200);
  });

  it('I3: logs what nobody foresaw, once, and says nothing of it', async () => {
    await open();
    bench.agent.store.get = () => {
      throw new Error('internal detail');
    };
    const answer = await bench.call('/jobs/a');
    expect([answer.status, codeOf(answer)]).toEqual([500, 'INTERNAL_ERROR']);
    expect(answer.text).not.toContain('internal detail');
    expect(bench.agent.log.withMessage('A request failed')).toHaveLength(1);
  });

  it('I4: ends streams and waits when it drains', async () => {
    await open();
    await bench.post(body('a', 'sleep', '500'));
    const stream = bench.call('/jobs/a/logs');
    const wait = bench.call('/jobs/a?wait_seconds=300');
    await expect.poll(() => bench.agent.service.waiting).toBe(1);
    await bench.api.drain(1_000);
    expect(await eventsOf(await stream)).toEqual([]);
    expect((await wait).json).toMatchObject({ state: 'running' });
  });
});
