/** The hosts that the capability benchmark measures. */
import { fileURLToPath } from 'node:url';
import { type HostConnection, openInProcessHost, openProcessHost, openThreadHost } from '@switchyard/capability-broker';
import { silentLog, systemClock, systemRandom } from '@switchyard/kernel';

const hostProgram = fileURLToPath(new URL('../../packages/capability-broker/dist/host/main.cjs', import.meta.url));
const probe = fileURLToPath(new URL('../../packages/capability-broker/fixtures/probe.cjs', import.meta.url));

/** How each kind of host is opened here. */
export const openers = {
  'in-process': (): HostConnection =>
    openInProcessHost({
      clock: systemClock,
      random: systemRandom,
      pid: process.pid,
      memoryBytes: () => process.memoryUsage.rss(),
      builtins: new Map(),
    }),
  thread: (): HostConnection =>
    openThreadHost({ log: silentLog }, { shard: 'bench', program: hostProgram, flags: [], maxHeapMb: 64 }),
  process: (): HostConnection =>
    openProcessHost(
      { log: silentLog },
      { shard: 'bench', executable: process.execPath, parameters: [hostProgram], environment: {} },
    ),
} as const;

/** The order that loads the probe into a host. */
export function orderOf(kind: string) {
  return {
    ...{ key: 'probe@1.0.0', name: 'probe', version: '1.0.0', shard: 'probe:shard-0', kind, entry: probe, config: {} },
    ...{ statePath: null, idempotentMethods: [] },
    limits: { maxConcurrentCalls: 1_000, maxPayloadBytes: 1_000_000, maxExecutionMs: 10_000 },
  };
}

/** Loads the probe and opens a lease; the target of it. */
export async function openProbe(host: HostConnection, kind: string) {
  await host.host.load(orderOf(kind));
  return host.host.open({ key: 'probe@1.0.0', leaseId: 'bench', account: 'bench', ticket: '' }, {});
}
