import { silentLog } from '@switchyard/kernel';
import type { AnnouncedApplication, JobHostStatus, VersionStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { AnnouncedApps, planVersions } from './announced-apps.ts';

const profile = {
  workerDirectory: '',
  workerIndexing: true,
  initializationTimeoutMs: 1_000,
  stderrIsError: false,
  ignoresTermination: false,
};

function open(limit = 10) {
  return new AnnouncedApps(
    {
      log: silentLog,
      profileOf: () => profile,
      keysOf: async () => undefined,
      keyStoreOf: () => undefined,
      functionFilesOf: () => ({ list: async () => [] }),
    },
    { hostNames: new Map([['shop', ['shop.example.com']]]), machineName: 'here', limit, oldVersionMs: 1_000 },
  );
}

function announced(applicationId: string, more: Partial<AnnouncedApplication> = {}): AnnouncedApplication {
  return {
    definition: { applicationId, metadataVersion: 'm1', codeVersion: 'c1' },
    tenantId: 'contoso',
    language: 'node',
    languageVersion: '24',
    scriptRoot: '/site',
    settings: new Map([['GREETING', 'hello']]),
    hostJson: '{"version":"2.0"}',
    ...more,
  };
}

const version = (codeVersion: string, states: readonly string[], more: Partial<VersionStatus> = {}): VersionStatus => ({
  definition: { applicationId: 'shop', metadataVersion: 'm1', codeVersion },
  weight: 0,
  state: 'active',
  workers: states.map((state, index) => ({
    workerId: `${codeVersion}-${index}`,
    state,
    inFlight: 0,
    runtimeName: 'node',
    runtimeVersion: '24',
  })),
  invocations: 0,
  ...more,
});

const hosted = (...versions: readonly VersionStatus[]): JobHostStatus[] => [
  { key: 'shop:m1', applicationId: 'shop', state: 'active', functions: [], rejected: [], workers: [], versions },
];

const order = ['m1:c1', 'm1:c2', 'm1:c3'];

describe('AnnouncedApps', () => {
  it('I1: an app is what was announced', async () => {
    const apps = open();
    expect(await apps.make(announced('shop'))).toMatchObject({
      tenantId: 'contoso',
      scriptRoot: '/site',
      hostJson: { version: '2.0' },
      hostId: 'shop',
      hostNames: ['shop.example.com'],
      stack: { runtime: 'node', version: '24' },
      development: false,
    });
    expect(apps.settingsOf('shop')?.get('GREETING')).toBe('hello');
    expect(apps.settingsOf('shop')?.get('PATH')).toBeUndefined();
    expect((await apps.make(announced('blog', { hostJson: undefined }))).hostJson).toBeUndefined();
  });

  it('I1: a host.json that is none is refused with what is wrong', async () => {
    await expect(open().make(announced('shop', { hostJson: '{' }))).rejects.toMatchObject({
      code: 'RUNTIME_HOST_JSON_INVALID',
      message: expect.stringContaining("'shop'"),
    });
  });

  it('I4: takes no more apps than it may, and those that it has again', async () => {
    const apps = open(1);
    await apps.make(announced('shop'));
    await expect(apps.make(announced('blog'))).rejects.toMatchObject({ code: 'RUNTIME_APPLICATIONS_LIMIT' });
    await apps.make(announced('shop', { settings: new Map([['GREETING', 'hola']]) }));
    expect(apps.settingsOf('shop')?.get('GREETING')).toBe('hola');
  });

  it('I2: carries out what is to be done, for apps with several versions', async () => {
    const apps = open();
    await apps.make(announced('shop'));
    await apps.make(
      announced('shop', { definition: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c2' } }),
    );
    const shares: unknown[] = [];
    const removed: unknown[] = [];
    const runtime = {
      status: () => hosted(version('c1', ['lost'], { weight: 100 }), version('c2', ['ready'])),
      setTraffic: async (...given: unknown[]) => void shares.push(given),
      removeVersion: async (...given: unknown[]) => void removed.push(given),
    };
    apps.lookAtAll(runtime);
    expect(shares).toEqual([['shop', [{ metadataVersion: 'm1', codeVersion: 'c2', weight: 100 }]]]);
    expect(removed).toEqual([]);
  });
});

describe('planVersions', () => {
  it('I2: the newest version with a ready worker gets the traffic', () => {
    const versions = [version('c1', ['ready'], { weight: 100 }), version('c2', ['ready']), version('c3', ['loading'])];
    expect(planVersions(hosted(...versions), order)).toEqual([
      { kind: 'give-traffic', definition: versions[1]?.definition },
    ]);
  });

  it('I2: an older one takes it back while the newest has no worker', () => {
    const versions = [version('c1', ['ready']), version('c2', ['lost'], { weight: 100 })];
    expect(planVersions(hosted(...versions), order)).toEqual([
      { kind: 'give-traffic', definition: versions[0]?.definition },
    ]);
  });

  it('I3: what is older than the version on duty goes when nobody serves it and nothing runs', () => {
    const duty = version('c2', ['ready'], { weight: 100 });
    const gone = version('c1', ['lost', 'stopped']);
    expect(planVersions(hosted(gone, duty), order)).toEqual([{ kind: 'remove', definition: gone.definition }]);
    expect(planVersions(hosted(version('c1', ['lost'], { invocations: 1 }), duty), order)).toEqual([]);
    expect(planVersions(hosted(version('c1', ['ready']), duty), order)).toEqual([]);
    // A newer one is just coming.
    expect(planVersions(hosted(duty, version('c3', [])), order)).toEqual([]);
    expect(planVersions(hosted({ ...gone, state: 'draining' }, duty), order)).toEqual([]);
  });

  it('nothing is done while nobody is ready', () => {
    expect(planVersions(hosted(version('c1', ['loading'], { weight: 100 }), version('c2', [])), order)).toEqual([]);
    expect(planVersions([], order)).toEqual([]);
  });
});
