import { performance } from 'node:perf_hooks';
import type { LoopMeter } from '@switchyard/runtime';

/** Measures the event loop of this process. Whoever asks has a meter of its own. */
export function createLoopMeter(): LoopMeter {
  let last = performance.eventLoopUtilization();
  return {
    utilization() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
  };
}
