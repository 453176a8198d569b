import { systemClock, systemRandom } from '@switchyard/kernel';
import { expect, test } from 'vitest';
import { openInProcessHost } from './in-process-host.ts';
import { fixture, hostContractSuite, openOrder, probeOrder } from './testing/host-contract-suite.ts';

const open = (): ReturnType<typeof openInProcessHost> =>
  openInProcessHost({
    clock: systemClock,
    random: systemRandom,
    pid: process.pid,
    memoryBytes: () => process.memoryUsage.rss(),
    builtins: new Map(),
  });

hostContractSuite({ title: 'in-process host', probe: 'probe.cjs', kind: 'in-process', inProcess: true, open });

test('a script that nothing holds is really unloaded, and one that something holds is reported', async () => {
  const { host } = open();
  const order = probeOrder({ kind: 'in-process' });
  await host.load(order);
  await (await host.open(openOrder(), {})).invoke('echo', [1]);
  expect(await host.unload(order.key)).toMatchObject({
    outcome: 'unloaded',
    detail: expect.stringContaining('rounds'),
  });
  await host.load({ ...order, entry: fixture('leaking.cjs') });
  expect(await host.unload(order.key)).toMatchObject({ outcome: 'leaked' });
});

test('a built-in that does not exist is not found', async () => {
  await expect(open().host.load(probeOrder({ kind: 'builtin', entry: null }))).rejects.toMatchObject({
    code: 'CAPABILITY_NOT_FOUND',
  });
});
