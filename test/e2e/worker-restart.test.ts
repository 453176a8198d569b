/** Workers that are started anew keep their id, get their app again, and show no secret, over real sockets and processes. */
import { readFileSync } from 'node:fs';
import { isProcessAlive } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWorker, type WorkerBundle } from '../conformance/worker-process.ts';
import { type DecoupledPlatform, openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication } from '../decoupled/hello-application.ts';

const secret = 'a-secret-of-the-customer';

let bundle: WorkerBundle;
let platform: DecoupledPlatform;

beforeAll(async () => {
  bundle = await buildWorker();
  const environment = { CUSTOMER_SECRET: secret, languageWorkers__node__arguments: '--stack-trace-limit=21' };
  platform = await openDecoupledPlatform({ workerPath: bundle.path, minimum: 1, environment });
});

afterAll(async () => {
  await platform?.close();
  bundle?.remove();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const proc = (pid: number, file: 'environ' | 'cmdline'): string =>
  isProcessAlive(pid) ? readFileSync(`/proc/${pid}/${file}`, 'utf8') : '';

/** The processes that run with an argument. */
const runningWith = (argument: string): number[] =>
  platform.pids.filter((pid) => proc(pid, 'cmdline').split('\0').includes(argument));

const hello = async (): Promise<unknown> => {
  const response = await fetch(`${platform.url}/api/hello`);
  return [response.status, await response.text()];
};

describe.skipIf(process.platform !== 'linux')('a worker that is started anew', () => {
  test('runs with the arguments that its app asks for, and the placeholder does not', async () => {
    await until(() => platform.supply.pools()[0]?.warm === 1);
    const [placeholder = 0] = platform.pids;
    const status = await platform.runtime.addApplication(createHelloApplication());
    expect(status).toMatchObject({ state: 'active', workers: [{ state: 'ready' }] });
    expect(await hello()).toEqual([200, 'Hello, world']);
    const [pid = 0, ...others] = runningWith('--stack-trace-limit=21');
    expect(others).toEqual([]);
    expect(isProcessAlive(placeholder)).toBe(false);
    expect(proc(pid, 'environ') + proc(pid, 'cmdline')).not.toContain(secret);
  });

  test('comes back with its app when the Runtime wants it anew', async () => {
    const [worker] = platform.runtime.status()[0]?.workers ?? [];
    const workerId = worker?.workerId ?? '';
    const [before = 0] = runningWith('--stack-trace-limit=21');
    const wish = { reason: 'test', arguments: ['--stack-trace-limit=22'] };
    expect(await platform.runtime.restartWorker(workerId, wish)).toEqual({ kind: 'accepted' });
    await until(
      () => platform.runtime.status()[0]?.workers.find((one) => one.workerId === workerId)?.state !== 'ready',
    );
    await until(
      () => platform.runtime.status()[0]?.workers.find((one) => one.workerId === workerId)?.state === 'ready',
    );
    expect(await hello()).toEqual([200, 'Hello, world']);
    const [after = 0] = runningWith('--stack-trace-limit=22');
    expect([isProcessAlive(before), isProcessAlive(after)]).toEqual([false, true]);
    expect(proc(after, 'environ') + proc(after, 'cmdline')).not.toContain(secret);
  });

  test('is refused where there is no such worker', async () => {
    expect(await platform.runtime.restartWorker('nobody', { reason: 'test' })).toMatchObject({ kind: 'rejected' });
  });
});
