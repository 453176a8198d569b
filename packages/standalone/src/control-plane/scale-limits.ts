/** The limits of apps as the scale controller knows them: what a policy moves is what their owner could say by hand. */
import type { AppScaleView, ScaleView, ServiceLimits } from '@switchyard/protocol/control-api';
import type { AppLimits } from './platform-port.ts';

/** The part of the scale controller that keeps what owners say. */
export interface AppScales {
  /** What an owner has said, without what became of it: that takes a look at every version that is awake. */
  said(applicationId: string): Pick<ScaleView, 'scale' | 'revision'>;
  put(applicationId: string, scale: AppScaleView, revision: number | undefined): Promise<unknown>;
}

/** No app has more workers; see `appScaleSchema`. */
const mostWorkers = 1_000;

export function createScaleLimits(scales: AppScales): AppLimits {
  return {
    async get(applicationId) {
      const { alwaysReady, maximum, perWorkerLimit } = scales.said(applicationId).scale;
      return {
        ...(alwaysReady === undefined ? {} : { minReplicas: alwaysReady }),
        ...(maximum === undefined ? {} : { maxReplicas: maximum }),
        ...(perWorkerLimit === undefined ? {} : { concurrency: perWorkerLimit }),
      };
    },
    async set(applicationId, wanted) {
      const { scale, revision } = scales.said(applicationId);
      const limits = toScale(wanted);
      const isSo = Object.entries(limits).every(([name, value]) => scale[name as keyof AppScaleView] === value);
      if (isSo) return;
      const { minimum = 0 } = scale;
      // What the owner wants while the app is active cannot be more than there may be at all.
      const kept = scale.minimum === undefined ? {} : { minimum: Math.min(minimum, limits.maximum) };
      await scales.put(applicationId, { ...scale, ...limits, ...kept }, revision);
    },
  };
}

function toScale({ minReplicas, maxReplicas, concurrency }: ServiceLimits) {
  return {
    alwaysReady: Math.min(minReplicas, mostWorkers),
    maximum: Math.min(Math.max(maxReplicas, minReplicas, 1), mostWorkers),
    ...(concurrency === undefined ? {} : { perWorkerLimit: Math.min(concurrency, 10_000) }),
  };
}
