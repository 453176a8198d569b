import { createMemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { sampleEvent } from '../../testing/state-contract.ts';
import { createLogSink, createWebhookSink, toAlertMessage } from './alert-sinks.ts';

const payload = { alertId: 'health/shop', kind: 'health', subject: 'shop', message: 'shop is unhealthy' };
const raised = sampleEvent({ eventType: 'AlertRaised', payload });
const alert = toAlertMessage(raised);
const { signal } = new AbortController();

describe('alert sinks', () => {
  it('reads alerts out of their events, and nothing out of others', () => {
    expect(alert).toMatchObject({ alertId: 'health/shop', state: 'raised', subject: 'shop', tenantId: 'acme' });
    expect(toAlertMessage({ ...raised, eventType: 'AlertCleared' })).toMatchObject({ state: 'cleared' });
    expect(toAlertMessage(sampleEvent())).toBeUndefined();
    expect(toAlertMessage({ ...raised, payload: null })).toMatchObject({ alertId: 'evt-1', message: '' });
  });

  it('writes a line', async () => {
    const log = createMemoryLog();
    if (alert === undefined) throw new Error('no alert');
    await createLogSink(log)(alert, signal);
    await createLogSink(log)({ ...alert, state: 'cleared' }, signal);
    expect(log.records.map(({ level, message }) => [level, message])).toEqual([
      ['error', 'An alert was raised'],
      ['information', 'An alert was cleared'],
    ]);
  });

  it('posts, and fails on a refusal and on silence', async () => {
    const clock = new VirtualClock();
    if (alert === undefined) throw new Error('no alert');
    const bodies: string[] = [];
    const answering = (status: number) =>
      createWebhookSink({
        clock,
        post: async (body) => {
          bodies.push(body);
          return { status };
        },
      });
    await answering(204)(alert, signal);
    expect(JSON.parse(bodies[0] ?? '')).toMatchObject({ alertId: 'health/shop', eventId: 'evt-1' });
    await expect(answering(503)(alert, signal)).rejects.toThrow('the webhook answered 503');
    let aborted = false;
    const silent = createWebhookSink({
      clock,
      post: (_, gone) =>
        new Promise(() => {
          gone.addEventListener('abort', () => {
            aborted = true;
          });
        }),
    });
    const failing = expect(silent(alert, signal)).rejects.toThrow('within 10000 ms');
    await clock.advance(10_001);
    await failing;
    expect(aborted).toBe(true);
  });
});
