import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Clock, Timer } from '@switchyard/kernel';
import type { ReadVitals, Vital } from '@switchyard/runtime';
import { createLoopMeter } from './loop-meter.ts';
import { memoryUtilization } from './memory-utilization.ts';

/** An event loop that stands still for so long is used up. */
const stalledMs = 1_000;
const beatMs = 1_000;

/**
 * Measures what may run short in this process: memory, open files, an event loop that stands still; and how busy that
 * and the machine are.
 */
export function createVitals(clock: Clock): { readonly read: ReadVitals; close(): void } {
  const loop = createLoopMeter();
  const processors = createProcessorMeter();
  const stall = watchStalls(clock);
  const fileLimit = readFileLimit();
  const read = (): readonly Vital[] => [
    { name: 'memory', used: memoryUtilization(), isLoad: false },
    ...(fileLimit === undefined ? [] : [{ name: 'open files', used: usedFiles(fileLimit), isLoad: false }]),
    { name: 'event loop delay', used: Math.min(1, stall.worstMs() / stalledMs), isLoad: false },
    { name: 'event loop', used: loop.utilization(), isLoad: true },
    { name: 'processors', used: processors(), isLoad: true },
  ];
  return { read, close: stall.close };
}

/** The part of the machine's processors that was at work since the last call, whoever it worked for. */
function createProcessorMeter(): () => number {
  const sum = (): { readonly idle: number; readonly total: number } => {
    const times = cpus().map((processor) => processor.times);
    const idle = times.reduce((before, time) => before + time.idle, 0);
    const total = times.reduce((before, time) => before + time.idle + time.user + time.nice + time.sys + time.irq, 0);
    return { idle, total };
  };
  let last = sum();
  return () => {
    const now = sum();
    const [idle, total] = [now.idle - last.idle, now.total - last.total];
    last = now;
    return total <= 0 ? 0 : Math.min(1, Math.max(0, 1 - idle / total));
  };
}

/** The longest that the event loop was late since it was last asked for. */
function watchStalls(clock: Clock): { worstMs(): number; close(): void } {
  let dueAtMs = 0;
  let worst = 0;
  let timer: Timer;
  const lateMs = (): number => Math.max(0, clock.monotonic() - dueAtMs);
  const beat = (): void => {
    dueAtMs = clock.monotonic() + beatMs;
    timer = clock.schedule(beatMs, () => {
      worst = Math.max(worst, lateMs());
      beat();
    });
  };
  beat();
  return {
    worstMs() {
      const sinceLast = Math.max(worst, lateMs());
      worst = 0;
      return sinceLast;
    },
    close: () => timer.cancel(),
  };
}

/** Files and connections that this process may have open; undefined where the system does not tell, or sets no limit. */
function readFileLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

function usedFiles(limit: number): number {
  try {
    return readdirSync('/proc/self/fd').length / limit;
  } catch {
    // A process that has no file to spare cannot even look.
    return 1;
  }
}
