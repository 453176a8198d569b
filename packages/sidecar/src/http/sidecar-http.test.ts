import { createServer, type Server } from 'node:http';
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
import { answerSidecarRequest, createSidecarListener } from './sidecar-http.ts';

type Worker = Partial<FakeWorkerOptions>;

function createSidecarRun(options: SidecarRunOptions<Worker> = {}) {
  const clock = new VirtualClock();
  const playWorker = (link: Link, more: Worker) =>
    createFakeWorker(link, { workerId: 'w1', functions: [{ name: 'hello' }], ...more });
  return new SidecarRun({ clock, log: createMemoryLog(clock), random: createSeededRandom(1), playWorker }, options);
}

type Run = ReturnType<typeof createSidecarRun>;

const body = JSON.stringify(toAssignmentJson(sampleAssignment));

async function ask({ sidecar }: Run, method: string, path: string, text = '') {
  const reply = await answerSidecarRequest(sidecar, { method, path, body: text });
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
        data: { runtime_connected: false, worker_connected: false, application_id: '', is_placeholder: true },
      },
    });
    await run.warm();
    expect(await ask(run, 'GET', '/health')).toMatchObject({ status: 200, json: { status: 'Healthy' } });
    const assigned = run.sidecar.assign(sampleAssignment);
    await run.clock.settle();
    expect(await ask(run, 'GET', '/health')).toMatchObject({
      status: 503,
      json: { status: 'Unhealthy', data: { application_id: 'shop', is_placeholder: false, worker_connected: true } },
    });
    run.runtime.refuse({ code: 5, message: 'no' });
    await assigned;
    expect(await ask(run, 'GET', '/health')).toMatchObject({ status: 503, json: { state: 'failed' } });
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

  async function listen(run: Run): Promise<string> {
    const server = createServer(createSidecarListener(run.sidecar));
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
    expect(response.status).toBe(413);
  });
});
