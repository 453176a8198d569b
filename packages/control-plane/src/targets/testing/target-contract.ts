/**
 * What every compute target promises, whatever runs the services there. Run it on each:
 *
 * T1 A version that was provisioned is up and has no traffic; provisioning it again changes nothing.
 * T2 A version that does not come up is no exception but an outcome, with a reason, and retiring it leaves nothing.
 * T3 Traffic goes where it was sent and is told as it is; the same shares again change nothing.
 * T4 The version before gets its traffic back at once, also when it had none any more.
 * T5 A version is healthy, unhealthy, or unknown when it is not there.
 * T6 Limits are told as they were set; the same again change nothing.
 * T7 Settings are read back from the service once they have come to it; others stay, and some go; what it does not have is
 *    left out.
 * T8 A restart changes neither version, traffic nor settings.
 * T9 Nothing is done to a service of another tenant.
 * T10 What is not there is undefined, has no settings, and may be retired.
 * T11 A target that cannot tell throws, instead of telling of nothing.
 * T12 Who waits for a version may stop waiting.
 */
import { Secret } from '@switchyard/kernel';
import type { TrafficShare } from '@switchyard/protocol/control-api';
import { afterEach, describe, expect, it } from 'vitest';
import type { ComputeTarget, ServiceOfTarget } from '../contract.ts';

/** A target with what is needed to see and break it. */
export interface TargetBench {
  readonly target: ComputeTarget;
  /** A service that is not there yet, or not yet deployed. */
  readonly service: ServiceOfTarget;
  /** Two versions that come up. */
  readonly versions: readonly [string, string];
  /** A version that never comes up. */
  readonly broken: string;
  /** A version whose coming up takes forever; left out where the target always knows in the end. */
  readonly slow?: string;
  /** How often something was changed at the target. */
  changes(): number;
  /** From now on a version that is up does no good. */
  spoil(version: string): void;
  /** From now on nobody can say what there is. */
  cut(): void;
  close(): Promise<void>;
}

export function describeTargetContract(name: string, open: () => Promise<TargetBench>): void {
  describe(`the contract of compute targets: ${name}`, () => {
    let bench: TargetBench;
    afterEach(() => bench.close());
    const { signal } = new AbortController();
    const all = (version: string): readonly TrafficShare[] => [{ version, weight: 100 }];
    const serve = async (version: string): Promise<void> => {
      expect(await bench.target.provision(bench.service, version, signal)).toEqual({ kind: 'ready' });
      await bench.target.setTraffic(bench.service, all(version));
    };
    /** Does it, and then again: the second time must change nothing. */
    const twice = async (act: () => Promise<unknown>): Promise<void> => {
      await act();
      const before = bench.changes();
      await act();
      expect(bench.changes()).toBe(before);
    };
    const look = () => bench.target.get(bench.service.serviceId);

    it('T1: brings a version up, without traffic, once', async () => {
      bench = await open();
      const [one] = bench.versions;
      await twice(async () => {
        expect(await bench.target.provision(bench.service, one, signal)).toEqual({ kind: 'ready' });
      });
      expect((await look())?.version ?? '').toBe('');
    });

    it('T2: a version that does not come up fails with a reason, and leaves nothing', async () => {
      bench = await open();
      const [one] = bench.versions;
      await serve(one);
      const outcome = await bench.target.provision(bench.service, bench.broken, signal);
      expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/\w/) });
      await bench.target.retire(bench.service, bench.broken);
      expect(await look()).toMatchObject({ version: one, weights: all(one), status: 'running' });
    });

    it('T3: sends traffic where it was told, and tells so', async () => {
      bench = await open();
      const [one, two] = bench.versions;
      const { serviceId, tenantId } = bench.service;
      await serve(one);
      await twice(() => bench.target.setTraffic(bench.service, all(one)));
      expect(await look()).toMatchObject({ serviceId, tenantId, version: one, weights: all(one), status: 'running' });
      await bench.target.provision(bench.service, two, signal);
      expect(await look()).toMatchObject({ version: one, weights: all(one) });
      const shares = [
        { version: two, weight: 25 },
        { version: one, weight: 75 },
      ];
      await twice(() => bench.target.setTraffic(bench.service, shares));
      const seen = await look();
      expect(seen?.version).toBe(one);
      expect(new Map(seen?.weights.map(({ version, weight }) => [version, weight]))).toEqual(
        new Map([
          [one, 75],
          [two, 25],
        ]),
      );
      const { items } = await bench.target.list(undefined, signal);
      expect(items.filter((item) => item.serviceId === serviceId)).toEqual([seen]);
    });

    it('T4: gives the traffic back to the version before, also when that had none any more', async () => {
      bench = await open();
      const [one, two] = bench.versions;
      await serve(one);
      await serve(two);
      expect(await look()).toMatchObject({ version: two, weights: all(two), status: 'running' });
      await bench.target.setTraffic(bench.service, all(one));
      await bench.target.retire(bench.service, two);
      expect(await look()).toMatchObject({ version: one, weights: all(one), status: 'running' });
    });

    it('T5: tells how a version does', async () => {
      bench = await open();
      const [one, two] = bench.versions;
      await serve(one);
      const { serviceId } = bench.service;
      expect(await bench.target.healthOf(serviceId, one)).toBe('healthy');
      expect(await bench.target.healthOf(serviceId, two)).toBe('unknown');
      bench.spoil(one);
      expect(await bench.target.healthOf(serviceId, one)).toBe('unhealthy');
      expect((await look())?.status).toMatch(/^(degraded|failed)$/);
    });

    it('T6: keeps limits', async () => {
      bench = await open();
      await serve(bench.versions[0]);
      await twice(() => bench.target.setLimits(bench.service, { minReplicas: 2, maxReplicas: 5 }));
      expect(await look()).toMatchObject({ limits: { minReplicas: 2, maxReplicas: 5 }, version: bench.versions[0] });
    });

    it('T7: brings settings to the service, and reads them back from it', async () => {
      bench = await open();
      await serve(bench.versions[0]);
      const give = async (settings: ReadonlyMap<string, Secret>, remove: readonly string[] = []): Promise<void> => {
        const outcome = await bench.target.applySettings(bench.service, settings, { remove });
        if (outcome === 'restart-required') await bench.target.restart(bench.service, signal);
      };
      const read = async (...names: readonly string[]) => {
        const found = await bench.target.readSettings(bench.service.serviceId, names);
        return Object.fromEntries([...found].map(([setting, value]) => [setting, value.reveal()]));
      };
      await give(
        new Map([
          ['COLOUR', new Secret('red')],
          ['Shop__Size', new Secret('10')],
        ]),
      );
      await give(new Map([['COLOUR', new Secret('blue')]]));
      expect(await read('COLOUR', 'Shop__Size', 'OTHER')).toEqual({ COLOUR: 'blue', Shop__Size: '10' });
      await give(new Map(), ['Shop__Size']);
      expect(await read('COLOUR', 'Shop__Size')).toEqual({ COLOUR: 'blue' });
      expect(await look()).toMatchObject({ version: bench.versions[0], weights: all(bench.versions[0]) });
    });

    it('T8: restarts what runs as it is', async () => {
      bench = await open();
      const [one] = bench.versions;
      await serve(one);
      await bench.target.applySettings(bench.service, new Map([['COLOUR', new Secret('red')]]));
      const before = bench.changes();
      await bench.target.restart(bench.service, signal);
      expect(bench.changes()).toBeGreaterThan(before);
      expect(await look()).toMatchObject({ version: one, weights: all(one), status: 'running' });
      expect((await bench.target.readSettings(bench.service.serviceId, ['COLOUR'])).get('COLOUR')?.reveal()).toBe(
        'red',
      );
    });

    it('T9: does nothing to a service of another tenant', async () => {
      bench = await open();
      const [one, two] = bench.versions;
      await serve(one);
      const before = [bench.changes(), await look()];
      const foreign = { ...bench.service, tenantId: 'evil' };
      for (const act of [
        () => bench.target.provision(foreign, two, signal),
        () => bench.target.setTraffic(foreign, all(one)),
        () => bench.target.setLimits(foreign, { minReplicas: 0, maxReplicas: 1 }),
        () => bench.target.applySettings(foreign, new Map([['COLOUR', new Secret('red')]])),
        () => bench.target.restart(foreign, signal),
        () => bench.target.retire(foreign, one),
      ]) {
        await expect(act()).rejects.toMatchObject({ code: expect.stringMatching(/FOREIGN|UNKNOWN/) });
      }
      expect([bench.changes(), await look()]).toEqual(before);
    });

    it('T10: knows nothing of what is not there', async () => {
      bench = await open();
      expect(await bench.target.get('nowhere')).toBeUndefined();
      expect(await bench.target.healthOf('nowhere', bench.versions[0])).toBe('unknown');
      expect((await bench.target.readSettings('nowhere', ['COLOUR'])).size).toBe(0);
      await bench.target.retire({ ...bench.service, serviceId: 'nowhere' }, bench.versions[0]);
    });

    it('T11: says that it cannot tell, instead of telling of nothing', async () => {
      bench = await open();
      await serve(bench.versions[0]);
      bench.cut();
      await expect(bench.target.list(undefined, signal)).rejects.toThrow();
    });

    it('T12: lets who waits for a version stop waiting', async () => {
      bench = await open();
      if (bench.slow === undefined) {
        const gone = AbortSignal.abort(new Error('nobody waits'));
        await expect(bench.target.provision(bench.service, bench.versions[0], gone)).rejects.toThrow('nobody waits');
        return;
      }
      const stop = new AbortController();
      const waiting = bench.target.provision(bench.service, bench.slow, stop.signal);
      const rejected = expect(waiting).rejects.toThrow('nobody waits');
      stop.abort(new Error('nobody waits'));
      await rejected;
    });
  });
}
