import { HttpMethod, RequestContext } from '@kubernetes/client-node';
import type { HttpAsk, HttpReply } from '@switchyard/protocol/http-exchange';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { createClusterTransport } from './cluster-transport.ts';

function open(answers: readonly (HttpReply | 'silence')[], { renews = true, connectMs = 0 } = {}) {
  const clock = new VirtualClock();
  const left = [...answers];
  const asked: HttpAsk[] = [];
  let credential = 1;
  const transport = createClusterTransport(
    {
      clock,
      connector: {
        async connect() {
          if (connectMs > 0) await new Promise<void>((resolve) => void clock.schedule(connectMs, resolve));
          return { headers: { Authorization: `Bearer ${credential}` }, options: { servername: 'kubernetes' } };
        },
        forget: () => {
          credential += 1;
          return renews;
        },
      },
      exchange: async (ask) => {
        asked.push(ask);
        const answer = left.shift() ?? 'silence';
        if (answer !== 'silence') return answer;
        return await new Promise(
          (_, reject) => void clock.schedule(ask.timeoutMs ?? 0, () => reject(new Error('late'))),
        );
      },
    },
    { timeoutMs: 30_000 },
  );
  const send = async () => {
    const request = new RequestContext('https://cluster/api/v1/pods', HttpMethod.POST);
    request.setBody('{}');
    return await clock.runUntil(transport.send(request));
  };
  return { clock, asked, send };
}

const reply = (status: number, reason = 'Busy', retryAfter?: string): HttpReply => ({
  status,
  text: JSON.stringify({ kind: 'Status', message: `told ${status}`, reason }),
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
});

const done: HttpReply = { status: 201, text: '{"a":1}' };

describe('createClusterTransport', () => {
  it('I1: has one deadline for all tries, the way to the credential included', async () => {
    const { clock, send, asked } = open([reply(429, '', '20'), 'silence']);
    await expect(send()).rejects.toThrow('late');
    expect(clock.monotonic()).toBe(30_000);
    expect(asked.map(({ timeoutMs }) => timeoutMs)).toEqual([30_000, 10_000]);
    await expect(open([], { connectMs: 40_000 }).send()).rejects.toThrow('no answer within 30000 ms');
  });

  it.each([
    ['after the time that it is told', reply(429, '', '7'), 7_000],
    ['when the server is starting', reply(503, '', '2'), 2_000],
    ['soon when it is told no time', reply(429), 100],
    ['soon when a date is told', reply(429, '', 'Sat, 21 Nov 2026 10:00:00 GMT'), 100],
    ['soon after a conflict of writers', reply(409, 'Conflict'), 100],
  ])('I2: tries again %s', async (_when, busy, waitMs) => {
    const { clock, send, asked } = open([busy, done]);
    const answer = await send();
    expect([answer.httpStatusCode, await answer.body.text()]).toEqual([201, '{"a":1}']);
    expect([clock.monotonic(), asked.length]).toEqual([waitMs, 2]);
    expect(asked[1]).toMatchObject({ method: 'POST', body: '{}', connection: { servername: 'kubernetes' } });
  });

  it.each([
    ['what is there already', reply(409, 'AlreadyExists')],
    ['what is forbidden', reply(403)],
    ['what is broken', reply(500)],
    ['what would be too late', reply(429, '', '31')],
  ])('I2: does not try %s again', async (_what, refusal) => {
    const { send, asked } = open([refusal, done]);
    await expect(send()).rejects.toMatchObject({ status: refusal.status, message: `told ${refusal.status}` });
    expect(asked).toHaveLength(1);
  });

  it('I2: gives up after six tries', async () => {
    const { clock, send, asked } = open(new Array(9).fill(reply(429)));
    await expect(send()).rejects.toMatchObject({ status: 429 });
    expect([asked.length, clock.monotonic()]).toEqual([6, 3_100]);
  });

  it('I3: fetches a credential anew once', async () => {
    const tokens = (asked: readonly HttpAsk[]) => asked.map(({ headers }) => headers.Authorization);
    const renewed = open([reply(401), done]);
    await renewed.send();
    expect(tokens(renewed.asked)).toEqual(['Bearer 1', 'Bearer 2']);
    const refused = open([reply(401), reply(401), done]);
    await expect(refused.send()).rejects.toMatchObject({ status: 401 });
    expect(refused.asked).toHaveLength(2);
    const fixed = open([reply(401), done], { renews: false });
    await expect(fixed.send()).rejects.toMatchObject({ status: 401 });
    expect(fixed.asked).toHaveLength(1);
  });

  it('shows the beginning of what is no Status', async () => {
    const page = { status: 502, text: `<html>${'x'.repeat(1_000)}` };
    await expect(open([page]).send()).rejects.toMatchObject({ status: 502, message: page.text.slice(0, 200) });
  });
});
