import { silentLog, silentMeter, sleep, systemClock } from '@switchyard/kernel';
import { manifestSchema } from '@switchyard/protocol/control-api';
import { createMemoryLog } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { openUpControlPlane, type UpControlPlane, type UpControlPlaneParts } from './open-up-control-plane.ts';
import { type FakePlatform, openFakePlatform } from './testing/fake-platform.ts';

let platform: FakePlatform | undefined;
let plane: UpControlPlane | undefined;
afterEach(async () => {
  await plane?.close();
  platform?.close();
  plane = undefined;
  platform = undefined;
});

async function open(fake: FakePlatform, log = silentLog): Promise<UpControlPlane> {
  const runtime = {
    status: (id?: string) => fake.status(id),
    load: () => [],
    restartWorker: async () => ({ kind: 'accepted' }),
    watch: () => () => {},
  };
  const parts = {
    scale: { said: () => ({ scale: {}, revision: 0 }), put: async () => {} },
    ...{ catalog: fake.catalog, deploy: fake.deploy, urlOf: (id: string) => `http://${id}.localhost`, runtime },
    hosting: {
      look: fake.look,
      errorOf: (id: string) => fake.errors.get(id),
      servingOf: (id: string) => fake.servingOf(id),
    },
  } as unknown as UpControlPlaneParts;
  plane = await openUpControlPlane(
    { log, meter: silentMeter, directory: fake.directory, environment: { PATH: process.env.PATH } },
    parts,
  );
  return plane;
}

const { signal } = new AbortController();

/** Waits for what will be so; the time limit of the test ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(systemClock, 20);
}

function ready(fake: FakePlatform, applicationId: string): void {
  for (const record of fake.catalog.deployments.list(applicationId)) fake.deploy(record);
}

describe('openUpControlPlane', () => {
  it('gives what was deployed the traffic, as a deployment of the worker, and the next version too', async () => {
    const fake = openFakePlatform();
    platform = fake;
    const { promote, domain } = await open(fake);
    for (const digit of ['a', 'b']) {
      const codeVersion = fake.upload('shop', digit);
      ready(fake, 'shop');
      await promote({ applicationId: 'shop', codeVersion, createdBy: 'ann' }, signal);
      expect(fake.catalog.traffic.get('shop').weights).toEqual([{ codeVersion, weight: 100 }]);
    }
    const deployments = await domain.view.list('deployment', { serviceId: 'shop' });
    expect(deployments.map(({ state, createdBy }) => [state, createdBy])).toEqual([
      ['completed', 'ann'],
      ['completed', 'ann'],
    ]);
    expect(await domain.view.get('environment', 'acme.default')).toMatchObject({ tenantId: 'acme' });
    expect((await domain.store.audit.list()).map(({ action }) => action)).toContain('Deploy');
  });

  it('tells that a version was not put into service, and leaves the traffic where it was', async () => {
    const fake = openFakePlatform();
    platform = fake;
    const { promote } = await open(fake);
    const good = fake.upload('shop', 'a');
    ready(fake, 'shop');
    await promote({ applicationId: 'shop', codeVersion: good, createdBy: 'ann' }, signal);
    const bad = fake.upload('shop', 'c');
    fake.broken.add(bad);
    ready(fake, 'shop');
    const failing = promote({ applicationId: 'shop', codeVersion: bad, createdBy: 'ann' }, signal);
    await expect(failing).rejects.toMatchObject({ code: 'ROLL_OUT_FAILED' });
    expect(fake.catalog.traffic.get('shop').weights).toEqual([{ codeVersion: good, weight: 100 }]);
  });

  it('undoes what somebody did by hand', { timeout: 60_000 }, async () => {
    const fake = openFakePlatform();
    platform = fake;
    const { domain } = await open(fake);
    const [first, second] = [fake.upload('shop', 'a'), fake.upload('shop', 'b')];
    ready(fake, 'shop');
    const manifest = manifestSchema.parse({
      ...{ apiVersion: 'switchyard.dev/v1', tenant: 'acme', environment: { remediation: 'auto' } },
      services: [{ id: 'shop', version: second, gateMs: 0 }],
    });
    const isServing = (version: string) => () =>
      fake.catalog.traffic
        .get('shop')
        .weights.some(({ codeVersion, weight }) => codeVersion === version && weight === 100);
    await domain.commands.apply(manifest, { subject: 'ann' });
    await until(isServing(second));
    await until(async () => (await domain.view.get('service', 'shop'))?.version === second);
    fake.catalog.traffic.set('shop', { weights: [{ codeVersion: first, weight: 100 }], reason: 'traffic' });
    expect(isServing(first)()).toBe(true);
    await until(isServing(second));
    const deployments = await domain.view.list('deployment', { serviceId: 'shop' });
    expect(deployments.filter(({ causeKey }) => causeKey?.startsWith('drift/') === true)).toHaveLength(1);
  });

  it('keeps what it knows over a restart, and its key to itself', async () => {
    const fake = openFakePlatform();
    platform = fake;
    const log = createMemoryLog();
    const first = await open(fake, log);
    const codeVersion = fake.upload('shop', 'a');
    ready(fake, 'shop');
    await first.promote({ applicationId: 'shop', codeVersion, createdBy: 'ann' }, signal);
    await first.close();
    const second = await open(fake, log);
    expect(await second.domain.view.list('deployment')).toMatchObject([{ state: 'completed', version: codeVersion }]);
  });
});
