import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createMetricsPage } from './metrics-page.ts';
import { toRuntimeSeries } from './runtime-series.ts';

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const load = {
  definition: { applicationId: 'shop', metadataVersion: 'm', codeVersion: 'c' },
  tenantId: 'contoso',
  stack: { runtime: 'node', version: '24', architecture: 'x64' },
  weight: 100,
  wantedCount: 3,
  readyCount: 2,
  startingCount: 1,
  drainingCount: 0,
  blockedCount: 0,
  heldCount: 4,
  pacedCount: 1,
  waitingCount: 5,
  refusedCount: 0,
  startFailureCount: 0,
  quietMs: 0,
  idleMs: undefined,
  standingCount: 0,
  functions: [
    {
      name: 'hello',
      activeCount: 1,
      startedCount: 10,
      endedCount: 9,
      failedCount: 2,
      totalMs: 450,
      durationCounts: [],
    },
  ],
  workerIds: ['w1', 'w2', 'w3'],
};

const known = {
  usageOf: (workerId: string) =>
    workerId === 'w3' ? undefined : { atMs: 0, cpuMs: 1_000, memoryBytes: 40_000_000, cpuLimit: 1 },
  cpuShareOf: () => 0.625,
};

type Guard = Parameters<typeof createMetricsPage>[0]['guard'];

async function open(guard: Guard) {
  const next = createMetricsPage({
    guard,
    read: async () => ({ series: toRuntimeSeries([load], known), dropped: 0 }),
    next: (_request, response) => response.writeHead(418).end(),
  });
  server = createServer(next);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return (path: string, init?: RequestInit) => fetch(`${url}${path}`, init);
}

const accept =
  (tenants: '*' | string[], scopes: string[]): Guard =>
  async (header) =>
    header === 'Bearer good'
      ? { kind: 'accepted', subject: 'operator', tenants, scopes }
      : { kind: 'refused', status: 401, code: 'TOKEN_MISSING', reason: 'there is none' };

const authorization = { headers: { authorization: 'Bearer good' } };

describe('the page with measurements', () => {
  it('shows workers and functions of every app', async () => {
    const get = await open(accept('*', ['read']));
    const answer = await get('/metrics?x=1', authorization);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    const text = await answer.text();
    const of = 'app="shop",tenant="contoso",version="c"';
    const ofFunction = 'app="shop",function="hello",tenant="contoso",version="c"';
    for (const line of [
      `switchyard_workers_connected_count{${of}} 2`,
      `switchyard_workers_wanted_count{${of}} 3`,
      `switchyard_requests_waiting_count{${of}} 5`,
      `switchyard_invocations_paced_now_count{${of}} 1`,
      `switchyard_workers_memory_bytes{${of}} 80000000`,
      `switchyard_workers_processors_ratio{${of}} 0.625`,
      `switchyard_invocations_routed_total{${ofFunction}} 10`,
      `switchyard_invocations_failed_total{${ofFunction}} 2`,
      `switchyard_invocation_duration_ms_sum{${ofFunction}} 450`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
  });

  it('shows no processors and no memory where nobody measures them', () => {
    const nothing = { usageOf: () => undefined, cpuShareOf: () => undefined };
    const names = toRuntimeSeries([load], nothing).map(({ name }) => name);
    expect(names.filter((name) => /memory|processors/.test(name))).toEqual([]);
  });

  it('shows nothing without a good token for the whole installation', async () => {
    const get = await open(accept(['contoso'], ['read']));
    expect((await get('/metrics')).status).toBe(401);
    expect((await get('/metrics', authorization)).status).toBe(403);
    server.close();
    const other = await open(accept('*', ['deploy']));
    expect((await other('/metrics', authorization)).status).toBe(403);
    server.close();
    const failing = await open(() => Promise.reject(new Error('no keys')));
    expect((await failing('/metrics', authorization)).status).toBe(503);
  });

  it('leaves every other request to the control API', async () => {
    const get = await open(accept('*', ['read']));
    expect((await get('/metrics', { method: 'POST' })).status).toBe(418);
    expect((await get('/metricsx')).status).toBe(418);
  });
});
