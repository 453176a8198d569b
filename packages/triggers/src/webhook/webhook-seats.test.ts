import { createDeferred } from '@switchyard/kernel';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, ListenerContext, TriggerEvent } from '../contract.ts';
import { WebhookSeats } from './webhook-seats.ts';

const outcome: InvocationOutcome = { kind: 'succeeded', invocationId: '1', outputs: new Map(), returnValue: undefined };
const event: TriggerEvent = { data: { data: undefined }, metadata: new Map(), reason: '' };
const { signal } = new AbortController();

const contextOf = (
  functionName: string,
  applicationId = 'shop',
  invoke: () => Promise<InvocationOutcome> = async () => outcome,
): ListenerContext => ({ applicationId, functionName, invoke }) as unknown as ListenerContext;

describe('WebhookSeats', () => {
  it('I1: finds functions of the app by name in any case', async () => {
    const seats = new WebhookSeats<string>();
    await seats.listen('mine', contextOf('Resize')).start(signal);
    expect(seats.find('shop', 'RESIZE')?.options).toBe('mine');
    expect(seats.find('other', 'Resize')).toBeUndefined();
    expect(seats.find('shop', 'Other')).toBeUndefined();
  });

  it('I2: the one that sat down last counts, until it leaves', async () => {
    const seats = new WebhookSeats<string>();
    const [old, next] = ['old', 'next'].map((options) => seats.listen(options, contextOf('Resize')));
    await old?.start(signal);
    await next?.start(signal);
    expect(seats.find('shop', 'Resize')?.options).toBe('next');
    await next?.close();
    expect(seats.find('shop', 'Resize')?.options).toBe('old');
  });

  it('I3: is found from its start to its end, and the end waits for what runs', async () => {
    const seats = new WebhookSeats<string>();
    const running = createDeferred<InvocationOutcome>();
    const listener = seats.listen(
      'mine',
      contextOf('Resize', 'shop', () => running.promise),
    );
    expect(seats.find('shop', 'Resize')).toBeUndefined();
    await listener.start(signal);
    const run = seats.find('shop', 'Resize')?.context.invoke(event);
    let isDrained = false;
    const drained = listener.drain(signal).then(() => {
      isDrained = true;
    });
    expect([seats.find('shop', 'Resize'), isDrained]).toEqual([undefined, false]);
    running.resolve(outcome);
    await drained;
    expect(await run).toBe(outcome);
  });

  it('I3: nobody waits once there is no more time', async () => {
    const seats = new WebhookSeats<string>();
    const listener = seats.listen(
      'mine',
      contextOf('Resize', 'shop', () => new Promise(() => {})),
    );
    await listener.start(signal);
    void seats.find('shop', 'Resize')?.context.invoke(event);
    const stop = new AbortController();
    const drained = listener.drain(stop.signal);
    stop.abort();
    await expect(drained).resolves.toBeUndefined();
  });
});
