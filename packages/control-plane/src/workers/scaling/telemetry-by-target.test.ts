import { expect, it } from 'vitest';
import type { DomainView } from '../../frame/contract.ts';
import type { Telemetry } from './scaling-worker.ts';
import { createTelemetryByTarget } from './telemetry-by-target.ts';

const saying = (value: number): Telemetry => ({ read: async () => value });

it('measures each service where it runs', async () => {
  const targets = new Map([
    ['shop', 'container-apps'],
    ['desk', 'switchyard'],
  ]);
  const view = { get: async (_: string, id: string) => ({ computeTarget: targets.get(id) }) } as unknown as DomainView;
  const telemetry = createTelemetryByTarget({ view, own: saying(1) }, new Map([['container-apps', saying(2)]]));
  const read = (id: string) => telemetry.read(id, 'requests', 0);
  expect([await read('shop'), await read('desk'), await read('nowhere')]).toEqual([2, 1, 1]);
});
