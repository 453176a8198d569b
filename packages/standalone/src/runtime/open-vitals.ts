import { systemClock } from '@switchyard/kernel';
import type { RuntimeDeps } from '@switchyard/runtime';
import type { Closers } from '../dev/closers.ts';
import { createVitals } from './create-vitals.ts';
import { createLoopMeter } from './loop-meter.ts';
import { memoryUtilization } from './memory-utilization.ts';

/** What a Runtime that several apps share watches of its process; measured until `closers` close. */
export function openVitals(closers: Closers): Required<Pick<RuntimeDeps, 'memory' | 'loop' | 'vitals'>> {
  const vitals = createVitals(systemClock);
  closers.add('vitals', async () => vitals.close());
  return { memory: { utilization: memoryUtilization }, loop: createLoopMeter(), vitals: vitals.read };
}
