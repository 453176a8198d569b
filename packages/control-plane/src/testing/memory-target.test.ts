import { describeTargetContract } from '../targets/testing/target-contract.ts';
import { MemoryTarget } from './memory-target.ts';

describeTargetContract('in memory', async () => {
  let isCut = false;
  const target = new MemoryTarget({
    onCall: () => {
      if (isCut) throw new Error('nobody answers');
    },
  });
  target.broken.add('v9');
  return {
    ...{ target, service: { serviceId: 'shop', tenantId: 'acme' }, versions: ['v1', 'v2'], broken: 'v9' },
    changes: () => target.changes.length,
    spoil: (version) => void target.unhealthy.add(version),
    cut: () => {
      isCut = true;
    },
    close: async () => {},
  };
});
