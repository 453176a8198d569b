import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { RestartOutcome, SupervisorStatus } from './contract.ts';
import { createWrapperClient, type WrapperTransport } from './wrapper-client.ts';
import { answerWrapperRequest } from './wrapper-http.ts';

const status: SupervisorStatus = {
  state: 'restarting',
  pid: 42,
  starts: 3,
  restarts: 2,
  crashes: 0,
  launch: { executable: 'node', arguments: ['--a'], workerPath: '' },
  usage: { atMs: 5, cpuMs: 1_500, memoryBytes: 42, cpuLimit: 0.5 },
};

/** A client of a wrapper that answers restarts with `outcome`. */
function open(outcome: RestartOutcome) {
  const asked: unknown[] = [];
  const face = {
    restart: (reason: string, change: unknown) => {
      asked.push([reason, change]);
      return Promise.resolve(outcome);
    },
    shutdown: async (graceMs?: number) => asked.push(graceMs),
    status: () => status,
  };
  const transport: WrapperTransport = (request) => answerWrapperRequest(face, request);
  return { asked, client: createWrapperClient({ clock: new VirtualClock(), transport }) };
}

const withTransport = (transport: WrapperTransport, clock = new VirtualClock()) =>
  createWrapperClient({ clock, transport });

describe('createWrapperClient', () => {
  it.each<RestartOutcome>([{ kind: 'accepted' }, { kind: 'in-progress' }])('brings $kind back', async (outcome) => {
    const { asked, client } = open(outcome);
    expect(await client.restart('why', { executable: 'x', arguments: ['a'] })).toEqual(outcome);
    expect(asked).toEqual([['why', { executable: 'x', arguments: ['a'] }]]);
  });

  it('brings the reason of a refusal back', async () => {
    const { client } = open({ kind: 'rejected', reason: 'it has ended' });
    expect(await client.restart('why')).toEqual({
      kind: 'rejected',
      reason: 'the wrapper refused (status 409): it has ended',
    });
  });

  it('brings the status and the shutdown through', async () => {
    const { asked, client } = open({ kind: 'accepted' });
    expect(await client.status()).toEqual(status);
    expect(await client.shutdown(5)).toBe(true);
    expect(asked).toEqual([5]);
  });

  it('takes a wrapper that is not there for a refusal', async () => {
    const client = withTransport(() => Promise.reject(new Error('connect ENOENT')));
    expect(await client.restart('why')).toEqual({
      kind: 'rejected',
      reason: 'the wrapper was not reached: connect ENOENT',
    });
    expect(await client.shutdown()).toBe(false);
    expect(await client.status()).toBeUndefined();
  });

  it('waits no longer than five seconds', async () => {
    const clock = new VirtualClock();
    const outcome = withTransport(() => new Promise(() => {}), clock).restart('why');
    await clock.advance(5_000);
    expect(await outcome).toMatchObject({ kind: 'rejected', reason: expect.stringContaining('within 5000 ms') });
  });

  it.each(['', 'null', '[]', '{}', '{"state":"asleep"}', JSON.stringify({ ...status, launch: { executable: 1 } })])(
    'makes nothing of the status %s',
    async (body) => {
      const client = withTransport(() => Promise.resolve({ status: 200, body }));
      expect(await client.status()).toBeUndefined();
    },
  );
});
