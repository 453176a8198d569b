import { describeTargetContract, type TargetBench } from '@switchyard/control-plane/testing';
import { createSwitchyardTarget } from './switchyard-target.ts';
import { openFakePlatform } from './testing/fake-platform.ts';

describeTargetContract('this installation', async (): Promise<TargetBench> => {
  const fake = openFakePlatform();
  const limits = new Map<string, { minReplicas: number; maxReplicas: number }>();
  let changes = 0;
  const target = createSwitchyardTarget({
    catalog: fake.catalog,
    deploy: (record) => {
      changes += 1;
      fake.deploy(record);
    },
    look: (id) => fake.look(id),
    errorOf: (id) => fake.errors.get(id),
    servingOf: (id) => fake.servingOf(id),
    status: (id) => fake.status(id),
    restartWorkers: async () => {
      changes += 1;
    },
    urlOf: (id) => `http://${id}.localhost`,
    limits: {
      get: async (id) => limits.get(id) ?? {},
      set: async (id, wanted) => {
        if (JSON.stringify(limits.get(id)) !== JSON.stringify(wanted)) changes += 1;
        limits.set(id, wanted);
      },
    },
  });
  const [one = '', two = '', broken = '', slow = ''] = ['a', 'b', 'c', 'd'].map((digit) => fake.upload('shop', digit));
  fake.broken.add(broken);
  for (const record of fake.catalog.deployments.list('shop')) if (record.codeVersion !== slow) fake.deploy(record);
  return {
    ...{ target, service: { serviceId: 'shop', tenantId: 'acme' }, versions: [one, two], broken, slow },
    changes: () => changes + fake.catalog.traffic.get('shop').revision + fake.catalog.settings.get('shop').revision,
    spoil: () => void fake.errors.set('shop', 'its workers die'),
    cut: () => fake.catalog.close(),
    close: async () => fake.close(),
  };
});
