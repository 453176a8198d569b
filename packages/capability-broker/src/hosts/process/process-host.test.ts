import { silentLog } from '@switchyard/kernel';
import { afterAll, expect, test } from 'vitest';
import { hostContractSuite } from '../testing/host-contract-suite.ts';
import { bundleNodeProgram } from '../testing/node-program.ts';
import { openProcessHost } from './process-host.ts';

const program = await bundleNodeProgram();
afterAll(() => program.remove());

const options = { shard: 'probe:shard-0', executable: process.execPath, environment: {} };

hostContractSuite({
  ...{ title: 'Node.js process host', probe: 'probe.cjs', kind: 'process', inProcess: false },
  open: () => openProcessHost({ log: silentLog }, { ...options, parameters: [program.path] }),
});

test('a program that does not exist is an end with a reason', async () => {
  const connection = openProcessHost({ log: silentLog }, { ...options, executable: 'no-such-program', parameters: [] });
  await expect(Promise.resolve(connection.host.ping())).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  expect(await connection.ended).toMatchObject({ expected: false, reason: expect.stringContaining('no-such-program') });
});
