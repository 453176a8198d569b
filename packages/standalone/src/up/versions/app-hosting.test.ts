import { createSettingsView, parseHostJson } from '@switchyard/model';
import type { EnvironmentOutcome, JobHostStatus, RuntimeApplication, VersionStatus } from '@switchyard/runtime';
import { createMemoryLog, createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { AppHosting, type WantedVersion } from './app-hosting.ts';
import { type DeployedVersion, versionKey } from './deployed-version.ts';

function createVersion(
  codeVersion: string,
  metadataVersion = 'm1',
  values: ReadonlyMap<string, string> = new Map(),
): DeployedVersion {
  return {
    definition: { applicationId: 'shop', metadataVersion, codeVersion },
    tenantId: 'contoso',
    hostNames: [],
    stack: { runtime: 'node', version: '24', architecture: 'x64' },
    directory: '/apps/shop',
    hostJson: undefined,
    host: parseHostJson(undefined, { where: 'host.json', settings: values, development: false, cpus: 1 }),
    index: { functions: [], useDefaultIndexing: true },
    values,
    settings: createSettingsView(values),
  };
}

interface Hosted {
  readonly application: RuntimeApplication;
  weight: number;
  state: VersionStatus['state'];
}

/** A Runtime that keeps its books and does nothing else. */
class FakeRuntime {
  readonly hosted = new Map<string, Hosted>();
  readonly calls: string[] = [];
  /** Called before a version is added; what it throws is the answer. */
  onAdd: (codeVersion: string, start: boolean) => Promise<void> = async () => {};
  onTraffic: () => void = () => {};

  async addApplication(application: RuntimeApplication, options: { start?: boolean } = {}): Promise<JobHostStatus> {
    const { codeVersion } = application.definition;
    const start = options.start === true;
    this.calls.push(`add ${codeVersion}${start ? ' start' : ''}`);
    this.hosted.set(versionKey(application.definition), {
      application,
      weight: 0,
      state: start ? 'active' : 'dormant',
    });
    await this.onAdd(codeVersion, start);
    return {} as JobHostStatus;
  }

  async setTraffic(_applicationId: string, shares: readonly { codeVersion: string; weight: number }[]): Promise<void> {
    this.calls.push(`traffic ${shares.map(({ codeVersion, weight }) => `${codeVersion}=${weight}`).join(' ')}`);
    this.onTraffic();
    for (const one of this.hosted.values()) {
      const share = shares.find(({ codeVersion }) => codeVersion === one.application.definition.codeVersion);
      one.weight = share?.weight ?? 0;
    }
  }

  async removeVersion(definition: DeployedVersion['definition']): Promise<void> {
    this.calls.push(`remove ${definition.codeVersion}`);
    this.hosted.delete(versionKey(definition));
  }

  async removeApplication(key: string): Promise<void> {
    this.calls.push(`remove-app ${key}`);
    this.hosted.clear();
  }

  status(applicationId?: string): JobHostStatus[] {
    if (applicationId !== undefined && applicationId !== 'shop') return [];
    const versions = [...this.hosted.values()].map(({ application, weight, state }) => ({
      definition: application.definition,
      weight,
      state,
      workers: [],
      invocations: 0,
    }));
    if (versions.length === 0) return [];
    return [
      { key: 'shop:m1', applicationId: 'shop', state: 'active', functions: [], rejected: [], workers: [], versions },
    ];
  }
}

function open(updateSettings?: (version: DeployedVersion) => Promise<EnvironmentOutcome>) {
  const clock = new VirtualClock();
  const log = createMemoryLog(clock);
  const runtime = new FakeRuntime();
  let wanted: readonly WantedVersion[] = [];
  let looks = 0;
  let onLook: () => Promise<void> = async () => {};
  const hosting = new AppHosting({
    clock,
    random: createSeededRandom(3),
    log,
    runtime,
    wantedOf: async () => {
      looks += 1;
      await onLook();
      return wanted;
    },
    ...(updateSettings === undefined ? {} : { updateSettings }),
    toRuntimeApplication: ({ definition }) => ({ definition }) as RuntimeApplication,
  });
  const want = (...versions: readonly [DeployedVersion, number][]): void => {
    wanted = versions.map(([version, weight]) => ({ version, weight }));
  };
  const setOnLook = (given: typeof onLook): void => {
    onLook = given;
  };
  return { clock, log, runtime, hosting, want, setOnLook, looks: () => looks };
}

const [one, two] = [createVersion('v1'), createVersion('v2')];

describe('AppHosting', () => {
  it('brings an app up asleep, moves its traffic, and takes it out', async () => {
    const { runtime, hosting, want, clock } = open();
    want([one, 100]);
    await hosting.look('shop');
    expect(runtime.calls.splice(0)).toEqual(['add v1', 'traffic v1=100']);
    expect(hosting.find(one.definition)).toBe(one);
    want([two, 100], [one, 0]);
    await hosting.look('shop');
    expect(runtime.calls.splice(0)).toEqual(['add v2', 'traffic v2=100']);
    want([two, 100]);
    await hosting.look('shop');
    await clock.settle();
    expect(runtime.calls.splice(0)).toEqual(['remove v1']);
    want();
    await hosting.look('shop');
    expect(runtime.calls.splice(0)).toEqual(['remove-app shop:m1']);
    expect([hosting.find(two.definition), hosting.latestOf('shop')]).toEqual([undefined, undefined]);
  });

  it('I1: looks once at a time, and once more for all that was asked meanwhile', async () => {
    const { hosting, want, setOnLook, looks, clock } = open();
    let release = (): void => {};
    setOnLook(() => new Promise((resolve) => (release = resolve)));
    want([one, 100]);
    const first = hosting.look('shop');
    const others = [hosting.look('shop'), hosting.look('shop'), hosting.look('shop')];
    await clock.settle();
    expect(looks()).toBe(1);
    setOnLook(async () => {});
    release();
    await Promise.all([first, ...others]);
    expect(looks()).toBe(2);
  });

  it('I1: does nothing for what was true before the app was looked at anew', async () => {
    const { runtime, hosting, want, setOnLook, clock } = open();
    let release = (): void => {};
    setOnLook(() => new Promise((resolve) => (release = resolve)));
    await hosting.tryOut(one);
    const stale = hosting.look('shop');
    await clock.settle();
    setOnLook(async () => want([one, 100]));
    const fresh = hosting.endTrial(one);
    release();
    await Promise.all([stale, fresh]);
    expect(runtime.calls).toEqual(['add v1 start', 'traffic v1=100']);
  });

  it('I2: repeats a look that failed with growing waits, tells why, and forgets that when it succeeds', async () => {
    const { clock, hosting, want, setOnLook, looks, log } = open();
    setOnLook(async () => {
      throw new Error('the package is gone');
    });
    want([one, 100]);
    await hosting.look('shop');
    expect(hosting.errorOf('shop')).toBe('the package is gone');
    await clock.advance(700);
    expect(looks()).toBe(2);
    await clock.advance(400);
    expect(looks()).toBe(2);
    await clock.advance(1_000);
    expect(looks()).toBe(3);
    expect(log.records.filter(({ level }) => level === 'error')).toHaveLength(3);
    setOnLook(async () => {});
    await hosting.look('shop');
    expect([hosting.errorOf('shop'), clock.pendingTimers]).toEqual([undefined, 0]);
  });

  it('I3: a version on trial is started, gets nothing, and stays until its trial has ended', async () => {
    const { runtime, hosting, want, clock } = open();
    want([one, 100]);
    await hosting.look('shop');
    runtime.calls.splice(0);
    await hosting.tryOut(two);
    await hosting.look('shop');
    expect(runtime.calls.splice(0)).toEqual(['add v2 start']);
    await hosting.endTrial(two);
    await clock.settle();
    expect(runtime.calls.splice(0)).toEqual(['remove v2']);
  });

  it('I3: a trial that ends well changes hands without being added again', async () => {
    const { runtime, hosting, want } = open();
    want([one, 100]);
    await hosting.look('shop');
    await hosting.tryOut(two);
    runtime.calls.splice(0);
    want([two, 100], [one, 0]);
    await hosting.endTrial(two);
    expect(runtime.calls).toEqual(['traffic v2=100']);
  });

  it('I4: while the app is at work, a version that does not start is taken out again and gets no traffic', async () => {
    const { runtime, hosting, want, clock } = open();
    want([one, 100]);
    await hosting.look('shop');
    const [hosted] = runtime.hosted.values();
    if (hosted !== undefined) hosted.state = 'active';
    runtime.calls.splice(0);
    runtime.onAdd = async () => {
      throw new Error('its worker ends at once');
    };
    want([two, 100]);
    await hosting.look('shop');
    await clock.settle();
    expect(runtime.calls.slice(0, 2)).toEqual(['add v2 start', 'remove v2']);
    expect(runtime.calls.some((call) => call.startsWith('traffic'))).toBe(false);
    expect(hosting.errorOf('shop')).toBe('its worker ends at once');
    expect(runtime.status()[0]?.versions).toMatchObject([{ definition: one.definition, weight: 100 }]);
  });

  it('I5: after its end nothing is looked at and no timer is left', async () => {
    const { clock, hosting, want, setOnLook, looks } = open();
    setOnLook(async () => {
      throw new Error('not now');
    });
    want([one, 100]);
    await hosting.look('shop');
    hosting.close();
    expect(clock.pendingTimers).toBe(0);
    await hosting.look('shop');
    expect(looks()).toBe(1);
  });

  describe('I6: settings that a version takes as it runs', () => {
    const at = (revision: number, values: Readonly<Record<string, string>>, metadataVersion = 'm1'): DeployedVersion =>
      createVersion(`v1.s${revision}`, metadataVersion, new Map(Object.entries(values)));

    it('make no other version, and what starts from then on has them', async () => {
      const told: string[] = [];
      const { runtime, hosting, want } = open(async ({ definition, values }) => {
        told.push(`${definition.codeVersion} ${[...values]}`);
        return { kind: 'updated' };
      });
      want([at(1, { COLOUR: 'red' }), 100]);
      await hosting.look('shop');
      runtime.calls.splice(0);
      const { definition } = at(1, {});
      for (const [revision, colour] of [
        [2, 'blue'],
        [3, 'green'],
      ] as const) {
        want([at(revision, { COLOUR: colour }), 100]);
        await hosting.look('shop');
        await hosting.look('shop');
        expect(hosting.find(definition)?.values.get('COLOUR')).toBe(colour);
        expect(hosting.servingOf('shop')?.values.get('COLOUR')).toBe(colour);
      }
      expect(runtime.calls).toEqual([]);
      expect(told).toEqual(['v1.s1 COLOUR,blue', 'v1.s1 COLOUR,green']);
    });

    it('make another version where a worker does not take them, and the one before keeps its own', async () => {
      const { runtime, hosting, want } = open(async () => ({ kind: 'unable', reason: 'it starts' }));
      const first = at(1, { COLOUR: 'red' });
      want([first, 100]);
      await hosting.look('shop');
      runtime.calls.splice(0);
      want([at(2, { COLOUR: 'blue' }), 100]);
      await hosting.look('shop');
      expect(runtime.calls.slice(0, 2)).toEqual(['add v1.s2', 'traffic v1.s2=100']);
      expect(hosting.find(first.definition) ?? first).toBe(first);
      expect(hosting.servingOf('shop')?.values.get('COLOUR')).toBe('blue');
    });

    it.each([
      ['bindings name them', at(2, { COLOUR: 'blue' }, 'm2')],
      ['one is gone', at(2, {})],
      ['the host reads them when it starts', at(2, { COLOUR: 'red', AzureWebJobsStorage: 'x' })],
      ['the process reads them when it starts', at(2, { COLOUR: 'red', node_options: '--x' })],
    ])('are not tried where %s', async (_, wanted) => {
      const { runtime, hosting, want } = open(() => Promise.reject(new Error('not to be asked')));
      want([at(1, { COLOUR: 'red' }), 100]);
      await hosting.look('shop');
      want([wanted, 100]);
      await hosting.look('shop');
      expect(runtime.calls).toContain('add v1.s2');
    });
  });
});
