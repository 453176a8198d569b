import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Link, toAssignmentJson } from '@switchyard/protocol';
import {
  createFakeWorker,
  createMemoryLog,
  createSeededRandom,
  type FakeWorkerOptions,
  failureResult,
  VirtualClock,
} from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { SidecarRun, type SidecarRunOptions, sampleAssignment } from '../testing/sidecar-run.ts';
import type { AuthorizeAssign } from './authorize.ts';
import type { BodyLimits, BodyReading } from './request-body.ts';
import { toSidecarServerOptions } from './server-options.ts';
import { answerSidecarRequest, createSidecarListener, type SidecarHttp } from './sidecar-http.ts';

type Worker = Partial<FakeWorkerOptions>;

function createSidecarRun(options: SidecarRunOptions<Worker> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link, more: Worker) =>
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }], ...more });
  return new SidecarRun({ clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker }, options);
}

type Run = ReturnType<typeof createSidecarRun>;

const body = JSON.stringify(toAssignmentJson(sampleAssignment));

const accepted: AuthorizeAssign = async () => ({ kind: 'accepted' });

async function ask({ sidecar }: Run, method: string, path: string, text = '', http: Partial<SidecarHttp> = {}) {
  const reply = await answerSidecarRequest(
    { sidecar, authorize: accepted, ...http },
    { method, path, authorization: 'Bearer x', readBody: async () => ({ kind: 'read', text }) },
  );
  return { ...reply, json: reply.type === 'application/json' ? JSON.parse(reply.body) : undefined };
}

describe('POST /assign', () => {
  it('answers 200 once the Runtime has taken the worker, and again for the same app', async () => {
    const run = createSidecarRun();
    await run.warm();
    for (let time = 0; time < 2; time += 1) {
      const reply = await ask(run, 'POST', '/assign', body);
      expect([reply.status, reply.json]).toEqual([200, { workerId: 'w1', state: 'relaying' }]);
    }
    const other = JSON.stringify({
      ...JSON.parse(body),
      application: { ...JSON.parse(body).application, id: 'other' },
    });
    expect(await ask(run, 'POST', '/assign', other)).toMatchObject({
      status: 409,
      json: { error: 'SIDECAR_ASSIGNED' },
    });
  });

  it('answers 503 with a time to come back before the worker is warm', async () => {
    const reply = await ask(createSidecarRun(), 'POST', '/assign', body);
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1' }, json: { error: 'SIDECAR_NOT_WARM' } });
  });

  it('names what does not fit, without its value', async () => {
    const run = createSidecarRun();
    const secret = { ...JSON.parse(body), environment: { PASSWORD: { value: 'hidden' } } };
    const reply = await ask(run, 'POST', '/assign', JSON.stringify(secret));
    expect(reply).toMatchObject({ status: 400, json: { error: 'SIDECAR_ASSIGNMENT_INVALID' } });
    expect(reply.body).toContain('environment.PASSWORD');
    expect(reply.body).not.toContain('hidden');
    expect(await ask(run, 'POST', '/assign', '{')).toMatchObject({ status: 400 });
    expect(await ask(run, 'POST', '/assign', '')).toMatchObject({ status: 400 });
  });

  it('says whether a worker that failed is tainted', async () => {
    const run = createSidecarRun({
      onDial: (runtime) => runtime.on('workerConnect', () => runtime.answerConnect(failureResult('no'))),
    });
    await run.warm();
    expect(await ask(run, 'POST', '/assign', body)).toMatchObject({ status: 502, json: { tainted: true } });
  });
});

describe('who may assign', () => {
  it('nobody may where nothing checks credentials, and the body stays unread', async () => {
    const run = createSidecarRun();
    await run.warm();
    let reads = 0;
    const reply = await answerSidecarRequest(
      { sidecar: run.sidecar },
      {
        method: 'POST',
        path: '/assign',
        authorization: 'Bearer good',
        readBody: async () => {
          reads += 1;
          return { kind: 'read', text: body };
        },
      },
    );
    expect(reply).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
    expect(JSON.parse(reply.body)).toMatchObject({ error: 'SIDECAR_UNAUTHORIZED' });
    expect([reads, run.sidecar.state]).toEqual([0, 'warm']);
  });

  it.each([
    [401, 'SIDECAR_UNAUTHORIZED'],
    [403, 'SIDECAR_FORBIDDEN'],
  ] as const)('a refusal with %d is passed on with its reason, and nothing is done', async (status, error) => {
    const run = createSidecarRun();
    await run.warm();
    const authorize: AuthorizeAssign = async () => ({ kind: 'refused', status, reason: 'the token has expired' });
    const reply = await ask(run, 'POST', '/assign', body, { authorize });
    expect(reply).toMatchObject({ status, json: { error, message: expect.stringContaining('the token has expired') } });
    expect([run.sidecar.state, run.dialled.length]).toEqual(['warm', 0]);
  });

  it('the guard sees the header as it came, and what it throws is no acceptance', async () => {
    const run = createSidecarRun();
    await run.warm();
    const seen: (string | undefined)[] = [];
    const authorize: AuthorizeAssign = async (authorization) => {
      seen.push(authorization);
      throw new Error('the keys are not there');
    };
    const reply = await ask(run, 'POST', '/assign', body, { authorize });
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1' } });
    expect(reply.body).toContain('the keys are not there');
    expect([seen, run.sidecar.state]).toEqual([['Bearer x'], 'warm']);
  });

  it('everybody may look', async () => {
    const run = createSidecarRun();
    const refuse: AuthorizeAssign = async () => ({ kind: 'refused', status: 401, reason: 'no' });
    for (const path of ['/health', '/metrics']) {
      expect(await ask(run, 'GET', path, '', { authorize: refuse })).toMatchObject({ status: 200 });
    }
  });

  it.each([
    [{ kind: 'too-long' }, 413, 'SIDECAR_BODY_TOO_LONG'],
    [{ kind: 'late' }, 408, 'SIDECAR_BODY_LATE'],
    [{ kind: 'broken', reason: 'gone' }, 400, 'SIDECAR_ASSIGNMENT_INVALID'],
  ] as readonly (readonly [BodyReading, number, string])[])(
    'a body that is %o answers %d',
    async (reading, status, error) => {
      const run = createSidecarRun();
      await run.warm();
      const reply = await answerSidecarRequest(
        { sidecar: run.sidecar, authorize: accepted },
        { method: 'POST', path: '/assign', authorization: undefined, readBody: async () => reading },
      );
      expect([reply.status, JSON.parse(reply.body).error, run.sidecar.state]).toEqual([status, error, 'warm']);
    },
  );
});

describe('the rest of the face', () => {
  it('knows its paths and methods', async () => {
    const run = createSidecarRun();
    expect(await ask(run, 'GET', '/assign')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await ask(run, 'POST', '/health')).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(await ask(run, 'GET', '/__proto__')).toMatchObject({ status: 404 });
  });

  it('GET /health: no worker is degraded, warm is healthy, an app without its Runtime is unhealthy', async () => {
    const run = createSidecarRun({ onDial: () => {} });
    expect(await ask(run, 'GET', '/health')).toMatchObject({
      status: 200,
      json: {
        status: 'Degraded',
        data: {
          ...{ runtime_connected: false, worker_connected: false, application_id: '', is_placeholder: true },
          ...{ worker_id: 'w1', runtime_endpoint: '', tenant_id: '', stack: { runtime: 'node' } },
        },
      },
    });
    await run.warm();
    expect(await ask(run, 'GET', '/health')).toMatchObject({ status: 200, json: { status: 'Healthy' } });
    const assigned = run.sidecar.assign(sampleAssignment);
    await run.clock.settle();
    expect(await ask(run, 'GET', '/health')).toMatchObject({
      status: 503,
      json: {
        status: 'Unhealthy',
        data: {
          ...{ application_id: 'shop', is_placeholder: false, worker_connected: true },
          ...{ tenant_id: sampleAssignment.tenantId, runtime_endpoint: sampleAssignment.runtimeEndpoint },
        },
      },
    });
    run.runtime.refuse({ code: 5, message: 'no' });
    await assigned;
    expect(await ask(run, 'GET', '/health')).toMatchObject({ status: 503, json: { state: 'failed' } });
  });

  it('GET /health and /metrics: what the pod uses, where somebody measures it', async () => {
    const run = createSidecarRun();
    const usage = async () => ({ atMs: 5, cpuMs: 1_500, memoryBytes: 42, cpuLimit: 0.5 });
    const health = await ask(run, 'GET', '/health', '', { usage });
    expect(health.json.data.usage).toEqual({ at_ms: 5, cpu_ms: 1_500, memory_bytes: 42, cpu_limit: 0.5 });
    const lines = (await ask(run, 'GET', '/metrics', '', { usage })).body.split('\n');
    const written = ['sidecar_pod_cpu_seconds_total 1.5', 'sidecar_pod_memory_bytes 42', 'sidecar_pod_cpu_limit 0.5'];
    expect(lines).toEqual(expect.arrayContaining(written));
    const silent = { usage: async () => undefined };
    expect((await ask(run, 'GET', '/health', '', silent)).json.data).not.toHaveProperty('usage');
    expect((await ask(run, 'GET', '/metrics', '', silent)).body).not.toContain('sidecar_pod');
  });

  it('GET /ready: warm, then not, then again when the Runtime says so', async () => {
    const run = createSidecarRun();
    const ready = async (): Promise<number> => (await ask(run, 'GET', '/ready')).status;
    expect(await ready()).toBe(503);
    await run.warm();
    expect(await ready()).toBe(200);
    await run.sidecar.assign(sampleAssignment);
    expect(await ready()).toBe(503);
    run.runtime.notifyReady();
    await run.clock.settle();
    expect(await ready()).toBe(200);
  });

  it('GET /metrics: counts what went through', async () => {
    const run = createSidecarRun();
    const worker = await run.serve();
    worker.log({ message: 'one' });
    run.runtime.send({ $case: 'workerHeartbeat', value: {} });
    await run.clock.settle();
    const { body: text } = await ask(run, 'GET', '/metrics');
    expect(text).toContain('sidecar_frames_up_total 1\n');
    expect(text).toContain('sidecar_frames_down_total 1\n');
    expect(text).toContain('sidecar_frames_consumed_total 1\n');
    expect(text).toContain('sidecar_runtime_streams_total 1\n');
    expect(text).toContain('sidecar_runtime_connected 1\n');
  });
});

describe('createSidecarListener', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function listen(run: Run, limits?: BodyLimits): Promise<string> {
    const http = { sidecar: run.sidecar, clock: run.clock, authorize: accepted };
    const server = createServer(toSidecarServerOptions(), createSidecarListener(http, limits));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('serves the face over HTTP', async () => {
    const run = createSidecarRun();
    await run.warm();
    const url = await listen(run);
    const assigned = await fetch(`${url}/assign?now`, { method: 'POST', body });
    expect([assigned.status, await assigned.json()]).toEqual([200, { workerId: 'w1', state: 'relaying' }]);
    expect((await fetch(`${url}/ready`)).headers.get('content-type')).toBe('application/json');
  });

  it('refuses a body without end', async () => {
    const run = createSidecarRun();
    const url = await listen(run);
    const response = await fetch(`${url}/assign`, { method: 'POST', body: 'x'.repeat(9 * 1024 * 1024) });
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
  });

  it('waits for a body that does not come for a limited time', async () => {
    const run = createSidecarRun();
    const url = await listen(run, { bodyBytes: 100, bodyMs: 5_000 });
    const { status } = await new Promise<{ status: number }>((resolve, reject) => {
      const slow = request(`${url}/assign`, { method: 'POST', headers: { 'content-length': '50' } }, (response) => {
        resolve({ status: response.statusCode ?? 0 });
        slow.destroy();
      });
      slow.on('error', reject);
      slow.write('{');
      servers.at(-1)?.once('request', () => void run.clock.advance(5_000));
    });
    expect(status).toBe(408);
  });
});
