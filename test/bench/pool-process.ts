/**
 * A pod host with placeholders of several stacks, for `placeholder-pool.ts`: `node pool-process.ts '<stacks as JSON>' <of each>`.
 * Prints the workers' process ids by stack once all are warm, and ends with its input.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';
import { createMemoryLinkPair, createRpcServer, eventStreamPath, type Link } from '@switchyard/protocol';
import { createNodeProcesses, createPlaceholderPods } from '@switchyard/sidecar';
import type { PoolStack } from './placeholder-pool.ts';

const [, , given = '[]', count = '0'] = process.argv;
const stacks = JSON.parse(given) as readonly PoolStack[];
const directory = mkdtempSync(join(tmpdir(), 'switchyard-pool-'));
const clock = systemClock;
const open = (link: Link): void => pods.acceptWorker(link);
const server = createRpcServer({ clock }, { methods: { [eventStreamPath]: { kind: 'stream', open } } });
const endpoint = await server.listen({ host: '127.0.0.1', port: 0 });
const traits = { workerIndexing: true, initializationTimeoutMs: 30_000, environmentReloadTimeoutMs: 30_000 };
const pods = createPlaceholderPods(
  {
    clock,
    random: systemRandom,
    log: silentLog,
    processes: createNodeProcesses(),
    // Nobody is assigned an app, so nobody dials a Runtime.
    dial: () => createMemoryLinkPair().opener,
    openDoor: () => ({ endpoint, close: async () => {} }),
    launchOf({ runtime }) {
      const { executable = '', workerPath = '' } = stacks.find(({ name }) => name === runtime) ?? {};
      const environment = { PATH: process.env.PATH ?? '' };
      const launch = { executable, arguments: [], workerPath, workerArguments: [], directory, environment };
      return { launch, traits, workerDirectory: directory };
    },
  },
  { instanceId: 'here', hostVersion: '4.1052.0' },
);
const pids: Record<string, number[]> = {};
for (const { name } of stacks) {
  const started = Array.from({ length: Number(count) }, () =>
    pods.startPod({ runtime: name, version: '', architecture: process.arch }),
  );
  await Promise.all(started.map(({ warm }) => warm));
  pids[name] = started.map(({ pid }) => pid ?? 0);
}
process.stdout.write(`${JSON.stringify(pids)}\n`);
process.stdin.resume();
process.stdin.once('end', async () => {
  await pods.close(1_000);
  await server.close(0);
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
});
