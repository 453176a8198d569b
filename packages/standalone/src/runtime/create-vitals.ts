import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '@switchyard/kernel';
import type { ReadVitals, Vital } from '@switchyard/runtime';
import { createLoopMeter } from './loop-meter.ts';

/** An event loop that is so late on average is used up. */
const stalledMs = 1_000;
const beatMs = 1_000;

/**
 * Measures what may run short in this process: memory, open files, an event loop that stands still; and how busy that
 * and the machine are.
 */
export function createVitals(clock: Clock): { readonly read: ReadVitals; close(): void } {
  const loop = createLoopMeter();
  const processors = createProcessorMeter();
  const delay = watchDelay(clock);
  const fileLimit = readFileLimit();
  const read = (): readonly Vital[] => [
    { name: 'memory', used: heapUtilization(), residentBytes: process.memoryUsage.rss(), isLoad: false },
    ...(fileLimit === undefined ? [] : [{ name: 'open files', used: usedFiles(fileLimit), isLoad: false }]),
    { name: 'event loop delay', used: Math.min(1, delay.averageMs() / stalledMs), isLoad: false },
    { name: 'event loop', used: loop.utilization(), isLoad: true },
    { name: 'processors', used: processors(), isLoad: true },
  ];
  return { read, close: delay.close };
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

/**
 * How late the event loop was on average since it was last asked for. One long turn is nothing: a collection of garbage, or a machine
 * that had more to do.
 */
function watchDelay(clock: Clock): { averageMs(): number; close(): void } {
  let [dueAtMs, lateMs, beats] = [0, 0, 0];
  let timer: Timer;
  const beat = (): void => {
    dueAtMs = clock.monotonic() + beatMs;
    timer = clock.schedule(beatMs, () => {
      lateMs += Math.max(0, clock.monotonic() - dueAtMs);
      beats += 1;
      beat();
    });
  };
  beat();
  return {
    averageMs() {
      // A beat that is overdue counts as it is by now.
      const overdueMs = Math.max(0, clock.monotonic() - dueAtMs);
      const average = (lateMs + overdueMs) / (beats + (overdueMs > 0 ? 1 : 0) || 1);
      [lateMs, beats] = [0, 0];
      return average;
    },
    close: () => timer.cancel(),
  };
}

/** The part of its heap that is in use; near its end the process spends its time on collecting garbage, and then ends. */
function heapUtilization(): number {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  return used / limit;
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
