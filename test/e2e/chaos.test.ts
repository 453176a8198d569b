/**
 * Kills, pauses and cuts workers, sidecars and the Runtime under a mixed load for a bounded time, then checks a ledger:
 * every request has one answer or a named error, every message was processed at least once, and none by another app.
 *
 * `SWITCHYARD_CHAOS_SECONDS` makes it longer, `SWITCHYARD_CHAOS_SEED` repeats its choices.
 */
import { request } from 'node:http';
import { join } from 'node:path';
import { createSeededRandom } from '@switchyard/testkit';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChaosLedger } from './chaos-ledger.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { Installation, type PodApp, type RuntimeHost, type SidecarHost } from './decoupled-processes.ts';
import { FaultyRelay } from './faulty-relay.ts';
import { azuriteEntry, azuritePart, openQueue, type TestQueue } from './queues.ts';
import { openShortLeaseQueues, type ShortLeaseQueues } from './short-lease-queues.ts';

const seconds = Number(process.env.SWITCHYARD_CHAOS_SECONDS ?? 15);
const seed = Number(process.env.SWITCHYARD_CHAOS_SEED ?? Date.now() % 1_000_000);
const healMs = 30_000;
const stepMs = 400;
const callers = 6;
const messagesPerSecond = 8;
const podsPerApp = 2;
const leaseSeconds = 3;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A pod that its orchestrator starts again whenever it has ended. */
interface Pod {
  readonly workerId: string;
  readonly app: PodApp;
  readonly relay: FaultyRelay;
  sidecar: SidecarHost;
}

class ChaosWorld {
  readonly installation: Installation;
  readonly apps: AppFolder;
  readonly ledger = new ChaosLedger();
  readonly random = createSeededRandom(seed);
  readonly pods: Pod[] = [];
  readonly done: string[] = [];
  readonly #port: number;
  #runtime: RuntimeHost;
  #isRuntimeDown = false;
  isOver = false;
  isClosing = false;

  private constructor(installation: Installation, apps: AppFolder, runtime: RuntimeHost) {
    this.installation = installation;
    this.apps = apps;
    this.#runtime = runtime;
    this.#port = runtime.port;
  }

  static async open(): Promise<ChaosWorld> {
    const installation = await Installation.open();
    return new ChaosWorld(installation, await openAppFolder(), await installation.startRuntime());
  }

  async startPods(app: PodApp): Promise<void> {
    for (let index = 0; index < podsPerApp; index += 1) {
      const relay = await FaultyRelay.open(this.#runtime.rpcPort);
      const workerId = `${app.applicationId}-${index}`;
      const pod: Pod = { workerId, app, relay, sidecar: await this.#startSidecar(workerId, app, relay) };
      this.pods.push(pod);
      void this.#orchestrate(pod);
    }
  }

  /** One thing goes wrong; resolves when it is over, as far as it is over by itself. */
  async step(): Promise<void> {
    const pod = this.#pick(this.pods);
    const forMs = 200 + this.random.next() * 1_500;
    const name = this.#pick(Object.keys(faults) as (keyof typeof faults)[]);
    this.done.push(`${name} ${pod.workerId}`);
    await faults[name](this, pod, forMs);
  }

  get runtime(): RuntimeHost {
    return this.#runtime;
  }

  async killRuntime(): Promise<void> {
    if (this.#isRuntimeDown) return;
    this.#isRuntimeDown = true;
    await this.#runtime.kill();
    this.#runtime = await this.installation.startRuntime({ after: this.#runtime });
    this.#isRuntimeDown = false;
  }

  /** One request after the other, until the load is over. */
  async call(app: string, caller: number): Promise<void> {
    for (let count = 0; !this.isOver; count += 1) {
      const id = `${caller}-${count}`;
      const settle = this.ledger.request(app, id);
      const isRefused = await callOnce(this.#port, app, id, settle);
      if (isRefused) await pause(20);
    }
  }

  /** Messages at a steady rate, until the load is over. */
  async send(app: string, queue: TestQueue): Promise<void> {
    for (let count = 0; !this.isOver; count += 1) {
      const id = `m${count}`;
      this.ledger.sent(app, id);
      await queue.send({ id });
      await pause(1_000 / messagesPerSecond);
    }
  }

  async close(): Promise<void> {
    this.isOver = true;
    this.isClosing = true;
    for (const { relay } of this.pods) relay.close();
    await this.installation.close();
    await this.apps.remove();
  }

  async #startSidecar(workerId: string, app: PodApp, relay: FaultyRelay): Promise<SidecarHost> {
    const runtimeUrl = `http://127.0.0.1:${relay.port}`;
    return await this.installation.startSidecar({ workerId, app, runtimeUrl });
  }

  async #orchestrate(pod: Pod): Promise<void> {
    for (;;) {
      await pod.sidecar.process.ended;
      if (this.isClosing) return;
      pod.sidecar = await this.#startSidecar(pod.workerId, pod.app, pod.relay);
    }
  }

  #pick<T>(values: readonly T[]): T {
    const value = values[Math.floor(this.random.next() * values.length)];
    if (value === undefined) throw new Error('there is nothing to choose from');
    return value;
  }
}

type Fault = (world: ChaosWorld, pod: Pod, forMs: number) => Promise<void>;

const paused = async (pid: number, forMs: number): Promise<void> => {
  signal(pid, 'SIGSTOP');
  await pause(forMs);
  signal(pid, 'SIGCONT');
};

const faults = {
  'kill worker': async (_world, pod) => signal(workerOf(pod), 'SIGKILL'),
  'kill sidecar': async (_world, pod) => pod.sidecar.process.signal('SIGKILL'),
  'kill runtime': (world) => world.killRuntime(),
  'pause worker': (_world, pod, forMs) => paused(workerOf(pod), forMs),
  'pause sidecar': (_world, pod, forMs) => paused(pod.sidecar.process.pid, forMs),
  'pause runtime': (world, _pod, forMs) => paused(world.runtime.process.pid, forMs),
  cut: async (_world, pod) => pod.relay.cut(),
  'refuse connections': async (_world, pod, forMs) => {
    pod.relay.refuse();
    await pause(forMs);
    pod.relay.heal();
  },
  'half open': async (_world, pod, forMs) => {
    pod.relay.silence();
    await pause(forMs);
    pod.relay.heal();
  },
} as const satisfies Record<string, Fault>;

/** The process of the pod's worker; 0 when there is none. */
function workerOf({ sidecar }: Pod): number {
  const started = sidecar.process.lines.findLast((line) => line.includes('Placeholder started'));
  return Number(/pid=(\d+)/.exec(started ?? '')?.[1] ?? 0);
}

function signal(pid: number, name: NodeJS.Signals): void {
  if (pid === 0) return;
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** True when nobody was there to take the request. */
function callOnce(port: number, app: string, id: string, settle: ReturnType<ChaosLedger['request']>): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { host: `${app}.localhost:${port}` };
    const outgoing = request(
      { host: '127.0.0.1', port, path: `/api/mark?id=${id}`, headers, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.once('end', () => {
          settle({ kind: 'answered', status: response.statusCode ?? 0, text });
          resolve(response.statusCode !== 200);
        });
        response.once('error', fail);
      },
    );
    const fail = (error: NodeJS.ErrnoException): void => {
      settle({ kind: 'broken', code: error.code ?? error.message });
      resolve(true);
    };
    outgoing.once('error', fail);
    outgoing.end();
  });
}

const source = `import { app, output } from '@azure/functions';
const done = output.storageQueue({ queueName: process.env.WHO + '-done', connection: 'AzureWebJobsStorage' });
app.http('mark', { authLevel: 'anonymous', handler: async (request) => ({ body: process.env.WHO + ':' + request.query.get('id') }) });
app.storageQueue('work', { queueName: process.env.WHO + '-work', connection: 'AzureWebJobsStorage', return: done,
  handler: (message) => ({ by: process.env.WHO, id: message.id }) });
`;

const names = ['shop', 'blog'] as const;

describe.skipIf(azuritePart.skip)('chaos', () => {
  let azurite: Azurite;
  let queues: ShortLeaseQueues;
  let world: ChaosWorld;

  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    queues = await openShortLeaseQueues(azurite.connectionString, leaseSeconds);
    world = await ChaosWorld.open();
    for (const name of names) {
      const host = {
        version: '2.0',
        extensions: { queues: { maxDequeueCount: 1_000, maxPollingInterval: '00:00:00.5' } },
      };
      const manifest = { name, type: 'module', main: 'src/*.js', dependencies: { '@azure/functions': '*' } };
      const files = { 'host.json': host, 'package.json': manifest, 'src/app.js': source };
      await world.apps.write(
        Object.fromEntries(Object.entries(files).map(([path, file]) => [`${name}/${path}`, file])),
      );
      const settings = { WHO: name, AzureWebJobsStorage: queues.connectionString };
      await world.startPods({
        applicationId: name,
        tenantId: `tenant-${name}`,
        scriptRoot: join(world.apps.path, name),
        settings,
      });
    }
  }, 60_000);

  afterAll(async () => {
    await world?.close();
    queues?.close();
    await azurite?.stop();
  }, 60_000);

  it('loses nothing, answers everything once, and mixes nothing up', { timeout: (seconds + 60) * 1_000 }, async () => {
    const { ledger } = world;
    const open = (name: string) => openQueue(azurite.connectionString, name);
    const load: Promise<void>[] = [];
    for (const name of names) {
      await open(`${name}-done`);
      const work = await open(`${name}-work`);
      await expect.poll(() => callOnce(world.runtime.port, name, 'first', () => {}), { timeout: 20_000 }).toBe(false);
      load.push(world.send(name, work));
      for (let caller = 0; caller < callers; caller += 1) load.push(world.call(name, caller));
    }
    const endMs = performance.now() + seconds * 1_000;
    while (performance.now() < endMs) {
      // Several things may be wrong at once.
      void world.step().catch(() => {});
      await pause(stepMs);
    }
    for (const { relay } of world.pods) relay.heal();
    world.isOver = true;
    const isAnswered = Promise.all(load).then(() => true);
    expect(await Promise.race([isAnswered, pause(healMs).then(() => false)])).toBe(true);
    for (const name of names) {
      const done = await open(`${name}-done`);
      const lastMs = performance.now() + healMs;
      while (ledger.missing(name).length > 0 && performance.now() < lastMs) {
        for (const message of await done.take(1)) {
          const { by, id } = message as { by: string; id: string };
          ledger.processed(name, by, id);
        }
      }
      await expect.poll(() => callOnce(world.runtime.port, name, 'last', () => {})).toBe(false);
    }
    console.log(`Seed ${seed}, ${world.done.length} faults; ${ledger.summary()}.`);
    expect({ seed, violations: ledger.violations() }).toEqual({ seed, violations: [] });
    for (const name of names) expect(ledger.succeeded(name)).toBeGreaterThan(100);
  });
});
