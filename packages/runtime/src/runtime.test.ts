import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentMeter } from '@switchyard/kernel';
import { createFakeWorker, createMemoryLog, createSeededRandom, type FakeWorker, type FakeWorkerOptions, invocationSuccess, VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { createRuntime } from './runtime.ts';
import { FakeSupply } from './testing/fake-supply.ts';
import { createMemoryLinkPair } from './testing/memory-links.ts';
import { createApplication } from './testing/sample-application.ts';
import { createSampleKinds } from './testing/sample-kinds.ts';
import { sampleDefinition } from './testing/sample-worker.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('smoke', () => {
  test('hello', async () => {
    const clock = new VirtualClock();
    const supply = new FakeSupply();
    const log = createMemoryLog(clock);
    const runtime = createRuntime(
      { clock, random: createSeededRandom(1), log, meter: silentMeter, supply, kinds: createSampleKinds() },
      { cpus: 1 },
    );
    const connect = (workerId: string, options: Partial<FakeWorkerOptions> = {}): FakeWorker => {
      supply.expect(workerId, sampleDefinition);
      const { worker, host } = createMemoryLinkPair();
      const fake = createFakeWorker(worker, { workerId, functions: [{ name: 'hello' }], ...options });
      runtime.acceptWorker(host);
      return fake;
    };
    const added = runtime.addApplication(createApplication());
    connect('w1', {
      onInvocation: () =>
        invocationSuccess({ returnValue: { data: { $case: 'string', value: 'Hello' } } }),
    });
    const status = await added;
    expect(status).toMatchObject({ state: 'active', functions: [{ name: 'hello' }] });
    const server = createServer((request, response) => runtime.handleRequest(request, response));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}/api/hello?x=1`);
    expect([response.status, await response.text()]).toEqual([200, 'Hello']);
    console.log([...response.headers]);
    console.log(log.records.map((r) => [r.level, r.message, JSON.stringify(r.fields)].join(' | ')).join('\n'));
    await runtime.drain(1000);
    expect(runtime.status()).toEqual([]);
  });
});
