import { Secret } from '@switchyard/kernel';
import type { HttpReply } from '@switchyard/protocol/http-exchange';
import { describe, expect, it } from 'vitest';
import { scaleErrors } from '../errors.ts';
import { nodeStack } from '../testing/fake-provider.ts';
import { sampleAssignment } from '../testing/pod-provider-contract.ts';
import { RemotePod } from './remote-pod.ts';

function open(reply: HttpReply | Error = { status: 200, text: '{}' }) {
  const asked: string[] = [];
  const removed: string[] = [];
  let tokens = 0;
  const pod = new RemotePod(
    {
      async exchange({ url, headers }) {
        asked.push(`${url} ${headers.authorization}`);
        if (reply instanceof Error) throw reply;
        return reply;
      },
      async tokenFor(workerId) {
        tokens += 1;
        return new Secret(`${workerId}/${tokens}`);
      },
      remove: async (workerId, graceMs) => void removed.push(`${workerId} ${graceMs}`),
      toError: (workerId, reason) => scaleErrors.create('AGENT_POD_FAILED', { workerId, reason }),
    },
    'w1',
    nodeStack,
  );
  return { pod, asked, removed };
}

describe('RemotePod', () => {
  it('I1: is warm once, and ends once with the first reason', async () => {
    const { pod, removed } = open();
    pod.ready('http://a');
    await pod.warm;
    pod.stop(5);
    pod.stop(1);
    pod.ready('http://b');
    expect([removed, pod.isLeaving, pod.isSettled]).toEqual([['w1 5'], true, false]);
    pod.end('it is gone', 3);
    pod.end('again', 4);
    expect(await pod.ended).toMatchObject({ exitCode: 3, error: { message: expect.stringContaining('it is gone') } });
    const other = open().pod;
    other.end('it never came');
    await expect(other.warm).rejects.toThrow('it never came');
  });

  it('I2: what nobody knows is tainted, and who refuses has seen nothing', async () => {
    const outcomeOf = async (reply: HttpReply | Error) => {
      const { pod } = open(reply);
      pod.ready('http://a');
      return await pod.assign(sampleAssignment);
    };
    expect(await outcomeOf(new Error('the line broke'))).toMatchObject({ kind: 'failed', tainted: true });
    expect(await outcomeOf({ status: 409, text: '{"message":"it serves already"}' })).toMatchObject({
      kind: 'refused',
    });
    expect(await open().pod.assign(sampleAssignment)).toMatchObject({ kind: 'refused' });
  });

  it('I3: makes a token for each assignment', async () => {
    const { pod, asked } = open({ status: 503, text: '{"message":"not yet","tainted":false}' });
    pod.ready('http://a');
    await pod.assign(sampleAssignment);
    await pod.assign(sampleAssignment);
    expect(asked).toEqual(['http://a/assign Bearer w1/1', 'http://a/assign Bearer w1/2']);
  });
});
