import { Secret } from '@switchyard/kernel';
import { expect, it } from 'vitest';
import { MemoryVault } from '../testing/memory-vault.ts';
import { settingsEntryOf } from '../workers/configuration/change-settings.ts';
import { createSplitVault } from './split-vault.ts';

it('keeps secrets of bindings in one vault, and settings on their way in the other', async () => {
  const [bindings, passing] = [new MemoryVault(), new MemoryVault()];
  const vault = createSplitVault({ bindings, passing });
  const onItsWay = settingsEntryOf({ tenantId: 'acme', requestId: 'r1' });
  const bound = { tenantId: 'acme', name: 'db', version: 1 };
  await vault.keep(onItsWay, new Secret('on its way'));
  await vault.keep(bound, new Secret('bound'));
  expect([[...bindings.seen], [...passing.seen]]).toEqual([['bound'], ['on its way']]);
  expect((await vault.read(bound))?.reveal()).toBe('bound');
  await vault.disable(onItsWay);
  expect(await vault.read(onItsWay)).toBeUndefined();
});
