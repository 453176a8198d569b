/**
 * A program of its own, so that no other test's memory counts: loads and unloads a capability in its own process, so many times,
 * and prints what became of it as JSON.
 *
 *     load-cycles.ts <entry> <cycles>
 */
import { openInProcessHost } from '@switchyard/capability-broker';
import { systemClock, systemRandom } from '@switchyard/kernel';

/** What the program prints. */
export interface CycleReport {
  /** How each unload went, once each. */
  readonly outcomes: readonly string[];
  /** Resident memory after all cycles, less that after the first tenth of them. */
  readonly grownBytes: number;
}

// The clock's timers keep no process alive; its caller does, until the end.
process.stdin.resume();
const [entry = '', count = '0'] = process.argv.slice(2);
const cycles = Number(count);
const host = openInProcessHost({
  clock: systemClock,
  random: systemRandom,
  pid: process.pid,
  memoryBytes: () => process.memoryUsage.rss(),
  builtins: new Map(),
});
const limits = { maxConcurrentCalls: 1, maxPayloadBytes: 1_000, maxExecutionMs: 1_000 };
const order = {
  ...{ key: 'heavy@1.0.0', name: 'heavy', version: '1.0.0', shard: 's', kind: 'in-process', entry, limits },
  ...{ config: {}, statePath: null, idempotentMethods: [] },
};
const outcomes = new Set<string>();
let beforeBytes = 0;
for (let cycle = 0; cycle < cycles; cycle += 1) {
  if (cycle === cycles / 10) beforeBytes = process.memoryUsage.rss();
  await host.host.load(order);
  outcomes.add((await host.host.unload(order.key)).outcome);
}
const report: CycleReport = { outcomes: [...outcomes], grownBytes: process.memoryUsage.rss() - beforeBytes };
console.log(JSON.stringify(report));
process.stdin.destroy();
