/** A dispatcher on the virtual clock that tells what it asked of its owner. */
import { silentLog, silentMeter } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { Dispatcher, type DispatcherDeps, type DispatcherOptions } from '../dispatch/dispatcher.ts';
import { defaultLimits } from '../limits.ts';
import type { Worker } from '../worker-registry/worker.ts';
import { freeShare } from './free-share.ts';
import { SampleCall } from './sample-worker.ts';

export function createSampleDispatcher(
  options: Partial<DispatcherOptions> = {},
  share: DispatcherDeps['share'] = () => freeShare,
) {
  const clock = new VirtualClock();
  const starving: number[] = [];
  const timedOut: Worker[] = [];
  const stalled: Worker[] = [];
  const relieved: Worker[] = [];
  const dispatcher: Dispatcher = new Dispatcher(
    { clock, log: silentLog, meter: silentMeter, share },
    {
      applicationId: 'sample',
      strategy: 'leastLoaded',
      functionTimeoutMs: 60_000,
      holdMs: defaultLimits.workerWaitMs,
      limits: { ...defaultLimits, heldPerApplication: 3 },
      onStarving: () => starving.push(clock.now()),
      onTimeout: (worker) => timedOut.push(worker),
      onStalled: (worker) => stalled.push(worker),
      onRelieved: (worker) => relieved.push(worker),
      ...options,
    },
  );
  const submit = (id: string, partitionKey?: string): SampleCall => {
    const call = new SampleCall(id, partitionKey);
    dispatcher.submit(call);
    return call;
  };
  return { clock, dispatcher, starving, timedOut, stalled, relieved, submit };
}
