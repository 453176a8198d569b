import type { AppScaleView } from '@switchyard/protocol/control-api';
import { appScaleSchema } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { createScaleLimits } from './scale-limits.ts';

function open(first: AppScaleView) {
  const kept = { scale: first, revision: 3 };
  const puts: [AppScaleView, number | undefined][] = [];
  const limits = createScaleLimits({
    said: () => kept,
    put: async (_, scale, revision) => {
      appScaleSchema.parse(scale);
      kept.scale = scale;
      puts.push([scale, revision]);
    },
  });
  return { limits, puts };
}

describe('createScaleLimits', () => {
  it('tells what the owner has said, and nothing else', async () => {
    expect(await open({}).limits.get('shop')).toEqual({});
    expect(await open({ alwaysReady: 1, maximum: 5, perWorkerLimit: 8, paused: true }).limits.get('shop')).toEqual({
      ...{ minReplicas: 1, maxReplicas: 5, concurrency: 8 },
    });
  });

  it('changes its part alone, under the revision that it has seen, and not when it is so already', async () => {
    const { limits, puts } = open({ stabilizationSeconds: 60, minimum: 7 });
    await limits.set('shop', { minReplicas: 2, maxReplicas: 4, concurrency: 16 });
    await limits.set('shop', { minReplicas: 2, maxReplicas: 4, concurrency: 16 });
    expect(puts).toEqual([
      [{ stabilizationSeconds: 60, minimum: 4, alwaysReady: 2, maximum: 4, perWorkerLimit: 16 }, 3],
    ]);
  });

  it('asks for no more than an app may have', async () => {
    const { limits, puts } = open({});
    await limits.set('shop', { minReplicas: 5_000, maxReplicas: 10_000 });
    expect(puts[0]?.[0]).toEqual({ alwaysReady: 1_000, maximum: 1_000 });
  });
});
