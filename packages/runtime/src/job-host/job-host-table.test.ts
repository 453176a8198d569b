import { expect, test } from 'vitest';
import { JobHostTable } from './job-host-table.ts';

const host = (key: string) => ({ key, application: { definition: { applicationId: key.split(':')[0] ?? '' } } });

function filled() {
  const table = new JobHostTable<ReturnType<typeof host>>();
  const hosts = ['shop:1', 'mail:1', 'shop:2'].map(host);
  for (const one of hosts) table.set(one);
  return { table, hosts };
}

test('I1: a newer one takes the place of a key, and an older one that leaves late takes nothing along', () => {
  const { table, hosts } = filled();
  const newer = host('shop:1');
  table.set(newer);
  expect(table.all.map(({ key }) => key)).toEqual(['shop:1', 'mail:1', 'shop:2']);
  for (const one of hosts) table.delete(one);
  expect([table.get('shop:1'), table.all, table.of('shop')]).toEqual([newer, [newer], [newer]]);
  expect(table.get('shop:1')).toBe(newer);
});

test('I2: finds those of one app, oldest first, until they are gone', () => {
  const { table, hosts } = filled();
  expect(table.of('shop')).toEqual([hosts[0], hosts[2]]);
  for (const one of table.of('shop')) table.delete(one);
  expect([table.of('shop'), table.of('nothing'), table.all]).toEqual([[], [], [hosts[1]]]);
});
