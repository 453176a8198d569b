import type { JobHostStatus } from '@switchyard/runtime';
import { describe, expect, it } from 'vitest';
import { RemoteRuntime } from './remote-runtime.ts';
import { createSentKeys, toRuntimeApplication, toSentApplication } from './sent-application.ts';
import { FakeHost, sampleApplication } from './testing/fake-host.ts';

function open(answer: (method: string, body: unknown) => Promise<unknown> = async () => null) {
  const sent: unknown[][] = [];
  const runtime = new RemoteRuntime({
    peer: {
      async call(method, body) {
        sent.push([method, body]);
        return await answer(method, body);
      },
      note: (method, body) => sent.push([method, body]),
    },
    keysOf: () => [{ kind: 'function', functionName: 'work', value: 'key-of-work' }],
  });
  return { runtime, sent };
}

const application = sampleApplication('shop', { keys: { levelOf: () => undefined } });

async function statusOf(state: JobHostStatus['state']): Promise<JobHostStatus> {
  const host = new FakeHost();
  await host.addApplication(application);
  return { ...(host.status()[0] as JobHostStatus), state };
}

describe('RemoteRuntime', () => {
  it('I1: shows what was reported last, and what was told since', async () => {
    const { runtime } = open();
    const heard: string[] = [];
    runtime.watch(({ state }) => heard.push(state));
    const host = new FakeHost();
    await host.addApplication(application);
    const loads = host.load();
    runtime.reported({
      adopted: 0,
      jobHosts: [await statusOf('dormant')],
      loads,
      listeningApps: [],
      memoryUtilization: 0,
    });
    expect(runtime.status()).toMatchObject([{ key: 'shop:m1', state: 'dormant' }]);
    // One that sleeps has nothing to do, and is told of to who asks for it.
    expect([runtime.load(), runtime.load('shop')]).toEqual([[], loads]);
    runtime.heard(await statusOf('active'));
    expect([runtime.status()[0]?.state, heard]).toEqual(['active', ['active']]);
    runtime.heard(await statusOf('stopped'));
    expect(runtime.status()).toEqual([]);
  });

  it('I2: a call that fails is not made again', async () => {
    const { runtime, sent } = open(() => Promise.reject(new Error('the channel has ended')));
    await expect(runtime.setTraffic('shop', [])).rejects.toThrow('the channel has ended');
    expect(sent).toHaveLength(1);
  });

  it('an app arrives as it was sent, with its keys', async () => {
    const there = await toSentApplication(application, [
      { kind: 'function', functionName: 'Work', value: 'key-of-work' },
      { kind: 'master', value: 'master' },
    ]);
    const wire = JSON.parse(JSON.stringify(there));
    const keys = createSentKeys(() => wire.keys);
    const refuse = () => Promise.reject(new Error());
    const keyStore = { list: async () => [], set: refuse, ensure: refuse, remove: async () => false };
    const arrived = toRuntimeApplication(wire, { keys, keyStore });
    expect(arrived).toMatchObject({
      ...{ definition: application.definition, tenantId: 'contoso', hostId: 'shop', hostJson: { version: '2.0' } },
      ...{ index: { functions: [], useDefaultIndexing: false }, hostNames: ['www.shop.example'] },
    });
    expect(arrived.settings.get('GREETING')).toBe('hello');
    expect(['key-of-work', 'master', 'guess'].map((key) => keys.levelOf(key, 'work'))).toEqual([
      'function',
      'admin',
      undefined,
    ]);
    expect(keys.levelOf('key-of-work', 'other')).toBeUndefined();
  });
});
