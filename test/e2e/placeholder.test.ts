/** A placeholder of our own Node.js worker becomes the worker of an app, with a Runtime, over real sockets and processes. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildWorker, type WorkerBundle } from '../conformance/worker-process.ts';
import { type DecoupledPlatform, openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication } from '../decoupled/hello-application.ts';

const secret = 'a-secret-of-the-customer';

let bundle: WorkerBundle;
let platform: DecoupledPlatform;

beforeAll(async () => {
  bundle = await buildWorker();
  const environment = { CUSTOMER_SECRET: secret };
  platform = await openDecoupledPlatform({ workerPath: bundle.path, minimum: 1, environment });
});

afterAll(async () => {
  await platform?.close();
  bundle?.remove();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a placeholder of our Node.js worker', () => {
  test('is warm before there is an app, becomes its worker, and answers', async () => {
    await until(() => platform.supply.pools()[0]?.warm === 1);
    expect(platform.runtime.status()).toEqual([]);
    const [pid = 0] = platform.pids;
    const status = await platform.runtime.addApplication(createHelloApplication());
    expect(status).toMatchObject({ state: 'active', functions: [{ name: 'hello' }], workers: [{ state: 'ready' }] });
    const response = await fetch(`${platform.url}/api/hello`);
    expect([response.status, await response.text()]).toEqual([200, 'Hello, world']);
    expect(platform.supply.pools()).toMatchObject([{ coldStarts: 0 }]);
    // The customer's secret went over the stream only.
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(secret);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(secret);
  });

  test('is replaced in its pool, and in the app when it dies', async () => {
    await until(() => platform.supply.pools()[0]?.warm === 1);
    expect(platform.pids).toHaveLength(2);
    const [serving = 0] = platform.pids;
    process.kill(serving, 'SIGKILL');
    await until(() => platform.runtime.status()[0]?.state === 'dormant');
    await until(() => platform.runtime.status()[0]?.state === 'active');
    expect((await fetch(`${platform.url}/api/hello`)).status).toBe(200);
    await until(() => platform.supply.pools()[0]?.warm === 1);
    expect(platform.pids).toHaveLength(3);
  });

  test('ends with its app, and leaves nothing behind', async () => {
    const [, serving = 0] = platform.pids;
    await platform.runtime.removeApplication('hello:m1', 500);
    await until(() => !isAlive(serving));
    expect(platform.runtime.status()).toEqual([]);
    expect(platform.supply.pools()).toMatchObject([{ warm: 1 }]);
  });
});
