import {
  createFramePeer,
  createMemoryLinkPair,
  type FramePeer,
  grpcStatus,
  type LinkStatus,
} from '@switchyard/protocol';
import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { fleetErrors } from '../errors.ts';
import { InstallationLink } from './installation-link.ts';

type Answer = (method: string, body: unknown) => Promise<unknown>;

const welcome = { runtimeId: 'north-1', gatewayKey: 'key', reportMs: 1_000, listenerMs: 10_000 };
const orders = { applicationId: 'shop', functionName: 'orders', epoch: 1 };

function open(answer: Answer, refusal?: LinkStatus) {
  const clock = new VirtualClock();
  const heard: string[] = [];
  const peers: FramePeer[] = [];
  let memory = 0;
  const link = new InstallationLink({
    ...{ clock, log: createMemoryLog(clock), url: 'http://127.0.0.1:50051' },
    dial() {
      const { opener, acceptor } = createMemoryLinkPair();
      if (refusal !== undefined) acceptor.cancel(refusal);
      else
        peers.push(createFramePeer(clock, acceptor, { call: answer, note: (method) => heard.push(`note ${method}`) }));
      return opener;
    },
    request: {
      ...{ name: 'north-1', instanceId: 'i1', gatewayUrl: 'http://127.0.0.1:1', rpcUrl: 'http://127.0.0.1:2' },
      ...{ maxWorkers: 20, maxApplications: 10 },
    },
    report: () => ({ jobHosts: [], loads: [], listeningApps: [], memoryUtilization: memory++ }),
    call: async () => null,
    note: () => {},
    onJoined: ({ gatewayKey }) => heard.push(`joined ${gatewayKey}`),
    onLeft: async () => void heard.push('left'),
  });
  return { clock, link, heard, peers };
}

/** Answers as an installation does. */
function installation(grants: readonly unknown[] = [orders]) {
  let sequence = 0;
  const reports: unknown[] = [];
  const answer: Answer = async (method, body) => {
    if (method === 'join') return welcome;
    reports.push(body);
    sequence += 1;
    return { grants, sequence };
  };
  return { answer, reports };
}

describe('InstallationLink', () => {
  it('I1: reports now and then, one at a time, and listens as the answers say', async () => {
    const { answer, reports } = installation();
    const { clock, link } = open(answer);
    await clock.runUntil(link.open());
    await clock.settle();
    expect([reports.length, link.listeners.mayListen('shop', 'orders')]).toEqual([1, true]);
    await clock.advance(3_000);
    expect(reports).toHaveLength(4);
    expect(reports.at(-1)).toMatchObject({ adopted: 3 });
    const [hurried, together] = [link.report(), link.report()];
    await clock.runUntil(Promise.all([hurried, together]));
    expect(reports).toHaveLength(6);
    link.close();
    expect(link.listeners.mayListen('shop', 'orders')).toBe(false);
  });

  it('I1: without answers it stops listening by itself', async () => {
    let isSilent = false;
    const { answer } = installation();
    const { clock, link } = open((method, body) => (isSilent ? new Promise(() => {}) : answer(method, body)));
    await clock.runUntil(link.open());
    await clock.settle();
    isSilent = true;
    await clock.advance(9_999);
    expect(link.listeners.mayListen('shop', 'orders')).toBe(true);
    await clock.advance(1);
    expect(link.listeners.mayListen('shop', 'orders')).toBe(false);
    link.close();
  });

  it('I2: gives up what it was given before it joins again', async () => {
    const { answer } = installation();
    const { clock, link, heard, peers } = open(answer);
    await clock.runUntil(link.open());
    await clock.settle();
    peers[0]?.close({ code: grpcStatus.unavailable, message: 'the installation starts anew' });
    await clock.advance(1);
    expect(heard).toEqual(['joined key', 'left', 'joined key']);
    link.close();
  });

  it.each([
    ['has no right', undefined, { code: grpcStatus.permissionDenied, message: 'not for a Runtime' }],
    ['is one too many', fleetErrors.create('FLEET_FULL', { maximum: 2, name: 'north-1' }), undefined],
  ] as const)('I3: one that %s does not try again', async (_what, error, refusal) => {
    const { clock, link } = open(() => Promise.reject(error), refusal);
    await expect(clock.runUntil(link.open())).rejects.toMatchObject({ code: 'FLEET_JOIN_REFUSED' });
  });

  it('I3: an installation that is not there yet is tried again', async () => {
    let isThere = false;
    const { clock, link, heard } = open(async () => (isThere ? welcome : Promise.reject(new Error('starting up'))));
    const joining = link.open();
    await clock.advance(2_500);
    expect(heard).toEqual([]);
    isThere = true;
    await clock.runUntil(joining);
    expect(heard).toEqual(['joined key']);
    link.close();
  });
});
