import { silentLog } from '@switchyard/kernel';
import { afterAll, expect, test } from 'vitest';
import { fixture, hostContractSuite, openOrder, probeOrder } from '../testing/host-contract-suite.ts';
import { bundleNodeProgram } from '../testing/node-program.ts';
import { openThreadHost } from './thread-host.ts';

const program = await bundleNodeProgram();
afterAll(() => program.remove());

const open = (): ReturnType<typeof openThreadHost> =>
  openThreadHost({ log: silentLog }, { shard: 'probe:shard-0', program: program.path, flags: [], maxHeapMb: 64 });

hostContractSuite({ title: 'thread host', probe: 'probe.cjs', kind: 'thread', inProcess: false, open });

test('a capability that takes too much memory ends its own thread only', async () => {
  const connection = open();
  await connection.host.load(probeOrder({ key: 'glutton@1.0.0', entry: fixture('glutton.cjs') }));
  const glutton = await connection.host.open({ ...openOrder('l2'), key: 'glutton@1.0.0' }, {});
  await expect(Promise.resolve(glutton.invoke('eat', []))).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  expect(await connection.ended).toMatchObject({ expected: false, reason: expect.stringContaining('memory') });
});

test('runs WebAssembly', async () => {
  const connection = open();
  await connection.host.load(probeOrder({ kind: 'wasm', entry: fixture('add.wasm') }));
  const target = await connection.host.open(openOrder(), {});
  expect(await target.invoke('add', [2, 40])).toBe(42);
  await connection.kill();
});
