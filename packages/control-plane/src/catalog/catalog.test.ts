import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addApplication,
  addVersion,
  type CatalogRun,
  createCatalogRun,
  nodeStack,
  packageHash,
  written,
} from '../testing/catalog-run.ts';
import { createCatalog } from './catalog.ts';
import { trafficHistoryLimit } from './limits.ts';

let run: CatalogRun;
let clock: VirtualClock;
const random = createSeededRandom(1);
beforeEach(() => {
  clock = new VirtualClock();
  run = createCatalogRun({ clock, random });
});
afterEach(() => run.remove());

function collectChanges(): string[] {
  const seen: string[] = [];
  run.catalog.watch((applicationId) => seen.push(applicationId));
  return seen;
}

const settingsOf = (applicationId: string): Record<string, string> =>
  Object.fromEntries(
    [...run.catalog.settings.get(applicationId).values].map(([name, value]) => [name, value.reveal()]),
  );

describe('applications', () => {
  it('are created whole, changed in part, and removed with all that is theirs', () => {
    const seen = collectChanges();
    const made = written(
      run.catalog.applications.put({
        applicationId: 'shop',
        tenantId: 'contoso',
        stack: nodeStack,
        hostNames: ['a.test'],
      }),
    );
    expect(made).toEqual({
      applicationId: 'shop',
      tenantId: 'contoso',
      hostNames: ['a.test'],
      stack: nodeStack,
      revision: 1,
      createdAtMs: clock.now(),
    });
    const changed = written(run.catalog.applications.put({ applicationId: 'shop', hostNames: ['b.test', 'a.test'] }));
    expect(changed).toEqual({ ...made, hostNames: ['b.test', 'a.test'], revision: 2 });
    expect(run.catalog.applications.findByHostName('B.test')?.applicationId).toBe('shop');
    addVersion(run.catalog, 'a');
    written(run.catalog.settings.patch('shop', { set: new Map([['A', '1']]) }));
    expect(run.catalog.applications.remove('shop')).toBe(true);
    expect(run.catalog.applications.remove('shop')).toBe(false);
    addApplication(run.catalog);
    expect([settingsOf('shop'), run.catalog.versions.list('shop'), run.catalog.deployments.list('shop')]).toEqual([
      {},
      [],
      [],
    ]);
    expect(run.catalog.applications.findByHostName('a.test')).toBeUndefined();
    expect(new Set(seen)).toEqual(new Set(['shop']));
    expect(run.catalog.tenants.list()).toEqual([{ tenantId: 'contoso', createdAtMs: clock.now() }]);
  });

  it('are listed by name, by tenant and page by page', () => {
    for (const [name, tenant] of [
      ['c', 'one'],
      ['a', 'two'],
      ['b', 'one'],
    ] as const)
      addApplication(run.catalog, name, tenant);
    const names = (filter: Parameters<typeof run.catalog.applications.list>[0]): string[] =>
      run.catalog.applications.list(filter).map(({ applicationId }) => applicationId);
    expect(names({})).toEqual(['a', 'b', 'c']);
    expect(names({ tenants: ['one'] })).toEqual(['b', 'c']);
    expect(names({ tenants: [] })).toEqual([]);
    expect(names({ limit: 2 })).toEqual(['a', 'b']);
    expect(names({ after: 'a', limit: 1 })).toEqual(['b']);
  });

  it('I1, I3: refused, they leave nothing and tell nobody', () => {
    addApplication(run.catalog);
    written(run.catalog.applications.put({ applicationId: 'shop', hostNames: ['taken.test'] }));
    addApplication(run.catalog, 'other');
    const before = run.catalog.applications.list();
    const seen = collectChanges();
    seen.length = 0;
    const base = { applicationId: 'fresh', tenantId: 'contoso', stack: nodeStack };
    const { put } = run.catalog.applications;
    const refusals = [
      [put({ ...base, applicationId: 'Not_A_Label' }), 'APPLICATION_INVALID'],
      [put({ ...base, tenantId: '__proto__' }), 'APPLICATION_INVALID'],
      [put({ applicationId: 'fresh', stack: nodeStack }), 'APPLICATION_INCOMPLETE'],
      [put({ applicationId: 'fresh', tenantId: 'contoso' }), 'APPLICATION_INCOMPLETE'],
      [put({ ...base, hostNames: ['fine.test', 'taken.test'] }), 'HOST_NAME_TAKEN'],
      [put({ ...base, hostNames: ['other.localhost'] }), 'APPLICATION_INVALID'],
      [put({ ...base, hostNames: ['Upper.test'] }), 'APPLICATION_INVALID'],
      [put({ applicationId: 'other', hostNames: ['taken.test'] }), 'HOST_NAME_TAKEN'],
      [put({ applicationId: 'shop', tenantId: 'fabrikam' }), 'APPLICATION_TENANT_FIXED'],
    ] as const;
    for (const [outcome, code] of refusals) expect(outcome).toMatchObject({ kind: 'refused', error: { code } });
    expect(run.catalog.applications.list()).toEqual(before);
    expect(run.catalog.applications.findByHostName('fine.test')).toBeUndefined();
    expect(seen).toEqual([]);
  });

  it('I2: a writer that has seen another revision is told the present one', () => {
    const conflict = (currentRevision: number) => ({
      kind: 'refused',
      error: { code: 'REVISION_CONFLICT' },
      currentRevision,
    });
    const { put } = run.catalog.applications;
    expect(put({ applicationId: 'shop', tenantId: 't', stack: nodeStack, revision: 1 })).toMatchObject(conflict(0));
    expect(put({ applicationId: 'shop', tenantId: 't', stack: nodeStack, revision: 0 })).toMatchObject({
      kind: 'written',
    });
    expect(put({ applicationId: 'shop', hostNames: ['a.test'], revision: 1 })).toMatchObject({ kind: 'written' });
    expect(put({ applicationId: 'shop', hostNames: ['b.test'], revision: 1 })).toMatchObject(conflict(2));
    expect(put({ applicationId: 'shop', hostNames: ['a.test'], revision: 2 })).toMatchObject({
      value: { revision: 2 },
    });
  });
});

describe('settings', () => {
  beforeEach(() => addApplication(run.catalog));

  it('change name by name, and only what differs makes a revision', () => {
    const seen = collectChanges();
    seen.length = 0;
    const patch = (set: Record<string, string>, remove: string[] = []) =>
      written(run.catalog.settings.patch('shop', { set: new Map(Object.entries(set)), remove })).revision;
    expect(patch({ A: '1', b: '' })).toBe(1);
    expect(patch({ A: '1' }, ['none'])).toBe(1);
    expect(patch({ a: '1' })).toBe(2);
    expect(patch({ C: '3' }, ['B'])).toBe(3);
    expect(settingsOf('shop')).toEqual({ a: '1', C: '3' });
    expect(seen).toHaveLength(3);
  });

  it('I1: refused, they stay as they were', () => {
    written(run.catalog.settings.patch('shop', { set: new Map([['A', '1']]) }));
    const bad: readonly [Parameters<typeof run.catalog.settings.patch>[1], string][] = [
      [
        {
          set: new Map([
            ['A', '2'],
            ['1x', ''],
          ]),
        },
        'is no name',
      ],
      [
        {
          set: new Map([
            ['A', '2'],
            ['__proto__', ''],
          ]),
        },
        'is no name',
      ],
      [
        {
          set: new Map([
            ['A', '2'],
            ['a', '3'],
          ]),
        },
        'twice',
      ],
      [{ set: new Map([['A', '2']]), remove: ['a'] }, 'twice'],
      [{ set: new Map([['A', '2\0']]) }, 'NUL'],
      [{ set: new Map([['A', 'é'.repeat(40_000)]]) }, 'longer than'],
      [{ set: new Map([['worker_auth_token', 'x']]) }, 'belongs to the platform'],
      [{ set: new Map(Array.from({ length: 2_001 }, (_, index) => [`N${index}`, ''])) }, 'limit'],
    ];
    for (const [change, reason] of bad) {
      const outcome = run.catalog.settings.patch('shop', change);
      expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'SETTINGS_INVALID' } });
      expect(outcome.kind === 'refused' && outcome.error.message).toContain(reason);
    }
    expect(run.catalog.settings.get('shop').revision).toBe(1);
    expect(settingsOf('shop')).toEqual({ A: '1' });
    expect(run.catalog.settings.patch('none', {})).toMatchObject({ error: { code: 'APPLICATION_UNKNOWN' } });
  });

  it('I2: a writer that has seen another revision is told the present one', () => {
    written(run.catalog.settings.patch('shop', { set: new Map([['A', '1']]), revision: 0 }));
    const outcome = run.catalog.settings.patch('shop', { set: new Map([['A', '2']]), revision: 0 });
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'REVISION_CONFLICT' }, currentRevision: 1 });
    expect(settingsOf('shop')).toEqual({ A: '1' });
  });

  it('I5: stand in no file in clear', () => {
    const secret = 'a-very-secret-connection-string';
    written(run.catalog.settings.patch('shop', { set: new Map([['Conn', secret]]) }));
    const key = run.catalog.keys.list('shop')[0]?.value.reveal() ?? 'none';
    for (const name of readdirSync(run.directory)) {
      const bytes = readFileSync(join(run.directory, name));
      expect([bytes.includes(secret), bytes.includes(key)]).toEqual([false, false]);
    }
    expect(JSON.stringify(run.catalog.settings.get('shop').values.get('Conn'))).toBe('"***"');
  });

  it('I5: another key opens nothing, and a lost one is not made anew', () => {
    run.catalog.close();
    const open = () =>
      createCatalog(
        {
          clock,
          random,
          log: {
            write: () => {},
            child: () => {
              throw new Error();
            },
          },
        },
        run.options,
      );
    renameSync(run.options.keyFile, `${run.options.keyFile}.kept`);
    expect(open).toThrow(expect.objectContaining({ code: 'CATALOG_KEY_UNUSABLE' }));
    expect(existsSync(run.options.keyFile)).toBe(false);
    writeFileSync(run.options.keyFile, Buffer.alloc(32, 1).toString('base64'), { mode: 0o600 });
    expect(open).toThrow(expect.objectContaining({ code: 'CATALOG_KEY_FOREIGN' }));
  });
});

describe('settings that are asked about', () => {
  it('are told what a change would be refused with and whether it changes anything, and stay as they are', () => {
    addApplication(run.catalog);
    written(run.catalog.settings.patch('shop', { set: new Map([['A', '1']]) }));
    const check = (set: Record<string, string>, more: { remove?: string[]; revision?: number } = {}) =>
      run.catalog.settings.check('shop', { set: new Map(Object.entries(set)), ...more });
    expect(check({ A: '1' }, { remove: ['B'] })).toMatchObject({ kind: 'sound', isSame: true });
    expect(check({ a: '1' })).toMatchObject({ kind: 'sound', isSame: false });
    expect(check({}, { remove: ['a'] })).toMatchObject({ kind: 'sound', isSame: false });
    expect(check({ A: '2' }, { revision: 9 })).toMatchObject({ error: { code: 'REVISION_CONFLICT' } });
    expect(check({ 'A B': '2' })).toMatchObject({ error: { code: 'SETTINGS_INVALID' } });
    expect([settingsOf('shop'), run.catalog.settings.get('shop').revision]).toEqual([{ A: '1' }, 1]);
  });
});

describe('traffic', () => {
  let [a, b, c] = ['', '', ''];
  beforeEach(() => {
    addApplication(run.catalog);
    [a, b, c] = [addVersion(run.catalog, 'a'), addVersion(run.catalog, 'b'), addVersion(run.catalog, 'c')];
  });

  const share = (...weights: readonly (readonly [string, number])[]) =>
    run.catalog.traffic.set('shop', {
      weights: weights.map(([codeVersion, weight]) => ({ codeVersion, weight })),
      reason: 'traffic',
    });
  const now = (): string =>
    run.catalog.traffic
      .get('shop')
      .weights.map(({ codeVersion, weight }) => `${codeVersion[0]}${weight}`)
      .join(' ');

  it('has revisions and a history that ends', async () => {
    expect(run.catalog.traffic.get('shop')).toMatchObject({ revision: 0, weights: [] });
    written(share([a, 100]));
    expect(written(share([a, 100])).revision).toBe(1);
    await clock.advance(5);
    expect(written(share([a, 90], [b, 10]))).toMatchObject({ revision: 2, setAtMs: clock.now(), reason: 'traffic' });
    expect(written(share([b, 10], [a, 90])).revision).toBe(2);
    for (let turn = 0; turn < trafficHistoryLimit; turn += 1) written(share([turn % 2 === 0 ? b : a, 100]));
    expect(run.catalog.traffic.history('shop')).toHaveLength(trafficHistoryLimit);
    expect(run.catalog.traffic.history('shop')[0]?.revision).toBe(trafficHistoryLimit + 2);
  });

  it('I4: takes whole percents of versions that are ready, 100 in all', () => {
    written(share([a, 100]));
    run.catalog.deployments.create({
      ...{ applicationId: 'shop', sha256: packageHash('d'), message: '', promote: true, createdBy: 'ann' },
    });
    const refused = (code: string) => ({ kind: 'refused', error: { code } });
    expect(share([a, 50], [b, 49])).toMatchObject(refused('WEIGHTS_INVALID'));
    expect(share([a, 50], [a, 50])).toMatchObject(refused('WEIGHTS_INVALID'));
    expect(share([a, 50.5], [b, 49.5])).toMatchObject(refused('WEIGHTS_INVALID'));
    expect(share([a, 150], [b, -50])).toMatchObject(refused('WEIGHTS_INVALID'));
    expect(share()).toMatchObject(refused('WEIGHTS_INVALID'));
    expect(share(['f'.repeat(16), 100])).toMatchObject(refused('VERSION_UNKNOWN'));
    expect(share(['d'.repeat(16), 100])).toMatchObject(refused('VERSION_NOT_READY'));
    expect(run.catalog.versions.remove('shop', a)).toMatchObject(refused('VERSION_IN_USE'));
    expect(now()).toBe('a100');
    expect(run.catalog.versions.remove('shop', c)).toMatchObject({ kind: 'written' });
    expect(run.catalog.versions.remove('shop', c)).toMatchObject(refused('VERSION_UNKNOWN'));
  });

  it('goes back to the version that had everything before', () => {
    const before = () => run.catalog.traffic.rollbackTarget('shop');
    expect(before()).toBeUndefined();
    written(share([a, 100]));
    expect(before()).toBeUndefined();
    written(share([a, 90], [b, 10]));
    expect(before()).toBe(a);
    written(share([a, 100]));
    written(share([b, 100]));
    written(share([b, 50], [c, 50]));
    written(share([c, 100]));
    expect(before()).toBe(b);
    written(share([b, 100]));
    written(share([a, 100]));
    expect(before()).toBe(b);
    written(run.catalog.versions.remove('shop', b));
    expect(before()).toBe(c);
  });

  it('I2: a writer that has seen another revision is told the present one', () => {
    written(share([a, 100]));
    const change = { weights: [{ codeVersion: b, weight: 100 }], revision: 0 };
    const conflict = { kind: 'refused', error: { code: 'REVISION_CONFLICT' }, currentRevision: 1 };
    expect(run.catalog.traffic.set('shop', { ...change, reason: 'rollback' })).toMatchObject(conflict);
    expect(run.catalog.traffic.check('shop', change)).toMatchObject(conflict);
    expect(now()).toBe('a100');
  });

  it('says what a change would be refused with, and whether it changes anything, and changes nothing', () => {
    written(share([a, 100]));
    const check = (codeVersion: string) =>
      run.catalog.traffic.check('shop', { weights: [{ codeVersion, weight: 100 }], revision: 1 });
    expect(check(a)).toMatchObject({ kind: 'sound', isSame: true, value: { revision: 1 } });
    expect(check(b)).toMatchObject({ kind: 'sound', isSame: false, value: { revision: 1 } });
    expect(check('f'.repeat(16))).toMatchObject({ kind: 'refused', error: { code: 'VERSION_UNKNOWN' } });
    expect(now()).toBe('a100');
  });
});

describe('versions', () => {
  it('keep what indexing gave, and move to another JobHost', () => {
    addApplication(run.catalog);
    const codeVersion = addVersion(run.catalog, 'a');
    const { versions } = run.catalog;
    const indexed = {
      index: new Uint8Array([0, 255]),
      hostJson: undefined,
      metadataVersion: 'm2',
      settingsRevision: 3,
    };
    expect(versions.markIndexed('shop', codeVersion, indexed)).toBe(true);
    expect(versions.get('shop', codeVersion)?.status).toEqual({ kind: 'indexed', ...indexed });
    const seen = collectChanges();
    const to = { metadataVersion: 'm3', settingsRevision: 4 };
    expect(versions.setMetadataVersion('shop', codeVersion, to)).toBe(true);
    expect(run.reopen().versions.get('shop', codeVersion)?.status).toEqual({ kind: 'indexed', ...indexed, ...to });
    expect(seen).toEqual(['shop', 'shop']);
    expect(run.catalog.versions.markFailed('shop', codeVersion, 'late')).toBe(false);
    expect(run.catalog.versions.markIndexed('shop', 'f'.repeat(16), indexed)).toBe(false);
    expect(run.catalog.versions.setMetadataVersion('none', codeVersion, to)).toBe(false);
  });
});

describe('package grants', () => {
  it('I6: say which tenants hold a package', () => {
    run.catalog.packageGrants.grant(packageHash('a'), ['one', 'two', 'one']);
    const { packageGrants } = run.reopen();
    expect(['one', 'two', 'three'].map((tenant) => packageGrants.isGranted(packageHash('a'), tenant))).toEqual([
      true,
      true,
      false,
    ]);
    packageGrants.forget(packageHash('a'));
    expect(packageGrants.isGranted(packageHash('a'), 'one')).toBe(false);
  });
});
