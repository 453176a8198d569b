import { Secret } from '@switchyard/kernel';
import { afterAll, expect, test } from 'vitest';
import { hostContractSuite } from '../hosts/testing/host-contract-suite.ts';
import { openRelay } from '../testing/open-relay.ts';
import { openRemoteHost } from './open-remote-host.ts';

const relay = await openRelay();
afterAll(() => relay.close());

const options = { shard: 'probe:shard-0', url: relay.url, token: relay.token };

hostContractSuite({
  ...{ title: 'remote host', probe: 'probe.cjs', kind: 'process', inProcess: false },
  open: () => openRemoteHost(options),
});

test('a wrong token and a wrong address are ends with a reason', async () => {
  const wrong = openRemoteHost({ ...options, token: new Secret('wrong') });
  await expect(Promise.resolve(wrong.host.ping())).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  expect(await wrong.ended).toMatchObject({ expected: false, reason: expect.stringContaining('401') });
  const nowhere = openRemoteHost({ ...options, url: 'ws://127.0.0.1:1' });
  await expect(Promise.resolve(nowhere.host.ping())).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
  expect(await nowhere.ended).toMatchObject({ expected: false, reason: expect.stringContaining('ECONNREFUSED') });
});
