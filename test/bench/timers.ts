/**
 * What a thousand timers cost: the processor time of `switchyard dev` and its worker, as a share of one core. Once with
 * schedules as apps have them, once with the worst that cron allows without seconds: all of them in the same second of
 * every minute.
 */
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './bench-row.ts';
import { cpuSeconds, freePort, processTree, start, waitForOk } from './processes.ts';

const timers = 1_000;
const windowMs = 20_000;
/** What starting up leaves to do is not the timers'. */
const settleMs = 12_000;
const startTimeoutMs = 30_000;
/** Between the start and the second in which all fire: long enough to be ready. */
const leadMs = 12_000;
/** Between two bursts, and how long one may take. */
const betweenMs = 15_000;
const burstMs = 6_000;
const minuteMs = 60_000;
const targetPercent = 2;

/** Runs the benchmark; takes about 70 seconds. */
export async function benchTimers(): Promise<{
  readonly rows: readonly BenchRow[];
  readonly notes: readonly string[];
}> {
  const spread = await cpuShare(spreadSchedules(), {
    fires: 1,
    begin: () => pause(settleMs),
    watch: async () => {
      await pause(windowMs);
      return windowMs;
    },
  });
  const burst = await measureBurst();
  const row = (name: string, ours: number): BenchRow => {
    const target = { reference: targetPercent, against: 'target', ratio: ours / targetPercent, target: '< 2 %' };
    return { name, ours, unit: '% of a core', ...target };
  };
  return {
    rows: [
      row(`${timers} timers, every 5 minutes to every day`, spread),
      row(`${timers} timers, all in the same second of every minute`, burst),
    ],
    notes: [
      'Of the first thousand, 600 fire every five minutes, 300 every hour and 100 every day, at seconds of their own. The ' +
        'processor time includes the worker that runs the functions, their log lines and the status that each timer keeps.',
    ],
  };
}

/** One burst, spread over the minute that it stands for; the first one has compiled everything. */
async function measureBurst(): Promise<number> {
  const first = new Date(Date.now() + leadMs);
  const second = new Date(first.getTime() + betweenMs);
  const schedules = Array.from({ length: timers }, () => `${first.getSeconds()},${second.getSeconds()} * * * * *`);
  return cpuShare(schedules, {
    fires: 2 * timers,
    begin: () => pause(first.getTime() + burstMs - Date.now()),
    watch: async () => {
      await pause(second.getTime() + burstMs - Date.now());
      return minuteMs;
    },
  });
}

interface Measurement {
  /** So many timers must have fired at least. */
  readonly fires: number;
  /** Waits until the measurement may begin. */
  begin(): Promise<void>;
  /** Waits while it lasts; resolves with the time that it stands for. */
  watch(): Promise<number>;
}

/** The share of a core, in percent, that an app with these timers takes. */
async function cpuShare(schedules: readonly string[], { fires, begin, watch }: Measurement): Promise<number> {
  const port = await freePort();
  const launcher = fileURLToPath(new URL('../../packages/cli/bin/switchyard.js', import.meta.url));
  const app = fileURLToPath(new URL('./fixtures/timers-app', import.meta.url));
  const started = start(process.execPath, [launcher, 'dev', app, '--port', String(port), '--no-watch'], {
    environment: { BENCH_SCHEDULES: JSON.stringify(schedules) },
  });
  let fired = 0;
  started.child.stdout?.on('data', (chunk) => {
    fired += String(chunk).split("Executed 'Functions.timer").length - 1;
  });
  try {
    await waitForOk(`http://127.0.0.1:${port}/api/ready`, started, startTimeoutMs);
    await begin();
    const before = cpuSeconds(processTree(started.pid));
    const countedMs = await watch();
    const usedMs = (cpuSeconds(processTree(started.pid)) - before) * 1_000;
    if (fired < fires) throw new Error(`only ${fired} of ${fires} timers fired: ${started.output()}`);
    return (usedMs / countedMs) * 100;
  } finally {
    await started.stop();
  }
}

/** Every timer at a second of its own: most often, hourly or daily. */
function spreadSchedules(): string[] {
  return Array.from({ length: timers }, (_, index) => {
    const second = (index * 7) % 60;
    const minute = (index * 11) % 60;
    const kind = index % 10;
    if (kind < 6) return `${second} ${index % 5}-59/5 * * * *`;
    return kind < 9 ? `${second} ${minute} * * * *` : `${second} ${minute} ${index % 24} * * *`;
  });
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, delayMs)));
}
