import { Secret } from '@switchyard/kernel';
import { createSeededRandom } from '@switchyard/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WriteOutcome } from '../catalog/contract.ts';
import { createDefaultEnvironment } from '../domain/default-environment.ts';
import { addApplication, addVersion, type CatalogRun, createCatalogRun, written } from '../testing/catalog-run.ts';
import { ControlWorld } from '../testing/control-world.ts';
import { settingsEntryOf } from '../workers/configuration/change-settings.ts';
import { createAppRequests } from './app-requests.ts';

let catalogRun: CatalogRun | undefined;
afterEach(() => {
  catalogRun?.remove();
  catalogRun = undefined;
});

const app = { applicationId: 'shop', tenantId: 'contoso' };
const ann = { subject: 'ann' };
const { signal } = new AbortController();

/** An app with two versions of which the first has everything, and workers that act on the catalog. */
async function open() {
  const world = new ControlWorld({ targetName: 'switchyard' });
  const { clock, state: view, commands, vault, target } = world;
  const run = createCatalogRun({ clock, random: createSeededRandom(1) });
  catalogRun = run;
  const { catalog } = run;
  addApplication(catalog);
  const versions = [addVersion(catalog, 'a'), addVersion(catalog, 'b')] as const;
  written(catalog.traffic.set('shop', { weights: [{ codeVersion: versions[0], weight: 100 }], reason: 'deployment' }));
  target.onTraffic = (shares) => {
    const weights = shares.map(({ version, weight }) => ({ codeVersion: version, weight }));
    written(catalog.traffic.set('shop', { weights, reason: 'traffic' }));
  };
  target.onSettings = (set, remove) => written(catalog.settings.patch('shop', { set, remove }));
  const requests = createAppRequests({
    ...{ clock, random: createSeededRandom(2), catalog, view, commands, vault },
    ensureTenant: async (tenantId) => {
      await view.commit({ puts: createDefaultEnvironment(tenantId), removes: [], events: [] });
    },
    look: async () => {},
  });
  return { world, catalog, requests, versions };
}

/** As the installation's own target does it. */
function settled(outcome: WriteOutcome<unknown>): void {
  if (outcome.kind === 'refused') throw outcome.error;
}

const all = (codeVersion: string) => [{ codeVersion, weight: 100 }];

describe('createAppRequests', () => {
  it('resolves when the traffic is shared as it was asked for, and keeps who asked', async () => {
    const { world, catalog, requests, versions } = await open();
    world.start();
    const asked = requests.shareTraffic(
      app,
      { weights: all(versions[1]), reason: 'traffic', revision: 1 },
      ann,
      signal,
    );
    await world.advance(1_000);
    expect(await asked).toMatchObject({ kind: 'written', value: { revision: 2, weights: all(versions[1]) } });
    expect(world.state.all('deployment')).toMatchObject([{ mode: 'traffic', state: 'completed', createdBy: 'ann' }]);
    // What is desired of an app that no manifest names is what somebody wanted last.
    expect(world.state.read('serviceSpec', 'shop')).toMatchObject({ version: versions[1], origin: 'deployment' });
    expect(catalog.traffic.get('shop').weights).toEqual(all(versions[1]));
    await world.stop();
  });

  it('I1: refuses at once what cannot be, and asks for nothing that is so already', async () => {
    const { world, requests, versions } = await open();
    const share = (codeVersion: string, revision: number) =>
      requests.shareTraffic(app, { weights: all(codeVersion), reason: 'traffic', revision }, ann, signal);
    expect(await share('f'.repeat(16), 1)).toMatchObject({ kind: 'refused', error: { code: 'VERSION_UNKNOWN' } });
    expect(await share(versions[1], 9)).toMatchObject({ error: { code: 'REVISION_CONFLICT' }, currentRevision: 1 });
    expect(await share(versions[0], 1)).toMatchObject({ kind: 'written', value: { revision: 1 } });
    const bad = await requests.changeSettings(app, { set: new Map([['A B', 'x']]) }, ann, signal);
    expect(bad).toMatchObject({ kind: 'refused', error: { code: 'SETTINGS_INVALID' } });
    expect([world.state.all('deployment'), world.state.all('settingsRequest')]).toEqual([[], []]);
  });

  it('I2: ends its wait, and the request goes on without it', async () => {
    const { world, catalog, requests, versions } = await open();
    const asked = requests.shareTraffic(app, { weights: all(versions[1]), reason: 'traffic' }, ann, signal);
    const refused = expect(asked).rejects.toMatchObject({ code: 'CHANGE_UNDER_WAY' });
    await world.advance(60_000);
    await refused;
    const gone = new AbortController();
    const left = requests.shareTraffic(app, { weights: all(versions[1]), reason: 'traffic' }, ann, gone.signal);
    const leaving = expect(left).rejects.toThrow('nobody waits');
    await world.advance(1_000);
    gone.abort(new Error('nobody waits'));
    await leaving;
    world.start();
    await world.advance(60_000);
    expect(catalog.traffic.get('shop').weights).toEqual(all(versions[1]));
    await world.stop();
  });

  it('wants nothing any more of an app that was deleted, and keeps who did it', async () => {
    const { world, requests, versions } = await open();
    world.start();
    const asked = requests.shareTraffic(app, { weights: all(versions[1]), reason: 'traffic' }, ann, signal);
    await world.advance(1_000);
    await asked;
    expect(world.state.read('serviceSpec', 'shop')).toBeDefined();
    await requests.withdraw({ applicationId: 'shop', tenantId: 'another' }, ann);
    expect(world.state.read('serviceSpec', 'shop')).toBeDefined();
    const commit = vi.spyOn(world.state, 'commit');
    await requests.withdraw(app, ann);
    expect(world.state.read('serviceSpec', 'shop')).toBeUndefined();
    expect(commit.mock.lastCall?.[0].audit).toMatchObject([{ action: 'DeleteApp', target: 'app/shop', actor: 'ann' }]);
    await world.stop();
  });

  it('says why what was asked for is not in effect', async () => {
    const { world, requests, versions } = await open();
    world.start();
    world.target.broken.add(versions[1]);
    const asked = requests.shareTraffic(app, { weights: all(versions[1]), reason: 'rollback' }, ann, signal);
    const refused = expect(asked).rejects.toMatchObject({
      code: 'CHANGE_FAILED',
      message: expect.stringContaining(`${versions[1]} does not start`),
    });
    await world.advance(10_000);
    await refused;
    await world.stop();
  });

  it('I3: refuses what another writer has overtaken as a conflict, as it does what came too late', async () => {
    const { world, catalog, requests, versions } = await open();
    const theirs = written(catalog.settings.patch('shop', { set: new Map([['SIZE', 'small']]) }));
    const { revision } = theirs;
    const late = requests.changeSettings(app, { set: new Map([['SIZE', 'big']]), revision }, ann, signal);
    const share = requests.shareTraffic(
      app,
      { weights: all(versions[1]), reason: 'traffic', revision: 1 },
      ann,
      signal,
    );
    await world.advance(1_000);
    written(catalog.settings.patch('shop', { set: new Map([['SIZE', 'medium']]) }));
    const half = [...all(versions[0]), ...all(versions[1])].map((each) => ({ ...each, weight: 50 }));
    written(catalog.traffic.set('shop', { weights: half, reason: 'traffic' }));
    world.target.onSettings = (set, remove) => settled(catalog.settings.patch('shop', { set, remove, revision }));
    world.target.onTraffic = () =>
      settled(catalog.traffic.set('shop', { weights: all(versions[1]), reason: 'traffic', revision: 1 }));
    world.start();
    await world.advance(60_000);
    for (const outcome of [await late, await share])
      expect(outcome).toMatchObject({
        kind: 'refused',
        error: { code: 'REVISION_CONFLICT', definition: { http: 409 } },
        currentRevision: 2,
      });
    expect(catalog.settings.get('shop').values.get('SIZE')?.reveal()).toBe('medium');
    await world.stop();
  });

  it('I4: has settings changed, with their values in the vault alone until they are', async () => {
    const { world, catalog, requests } = await open();
    const change = { set: new Map([['PASSWORD', 'hunter-two-42']]) };
    const asked = requests.changeSettings(app, change, ann, signal);
    await world.advance(1_000);
    const [record] = world.state.all('settingsRequest');
    expect(record).toMatchObject({ state: 'requested', set: ['PASSWORD'], createdBy: 'ann' });
    const { requestId = '' } = record ?? {};
    const kept = await world.vault.read(settingsEntryOf({ tenantId: 'contoso', requestId }));
    expect(kept).toEqual(new Secret(JSON.stringify({ PASSWORD: 'hunter-two-42' })));
    expect(JSON.stringify([world.state.told, world.state.all('settingsRequest')])).not.toContain('hunter-two-42');
    world.start();
    await world.advance(60_000);
    expect(await asked).toMatchObject({ kind: 'written', value: { revision: 1 } });
    expect(catalog.settings.get('shop').values.get('PASSWORD')?.reveal()).toBe('hunter-two-42');
    await world.stop();
  });
});
