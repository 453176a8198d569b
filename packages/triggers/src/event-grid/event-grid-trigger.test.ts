import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, ListenerContext, TriggerEvent, WebhookRequest } from '../contract.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { createEventGridTrigger } from './event-grid-trigger.ts';

const succeeded: InvocationOutcome = {
  kind: 'succeeded',
  invocationId: '1',
  outputs: new Map(),
  returnValue: undefined,
};
const failed: InvocationOutcome = {
  kind: 'failed',
  invocationId: '1',
  error: { message: 'no', stack: '', type: '' },
};

async function rig(cardinality = 'one', answer: InvocationOutcome = succeeded) {
  const { trigger, webhook } = createEventGridTrigger();
  const events: TriggerEvent[] = [];
  const invoke = async (event: TriggerEvent): Promise<InvocationOutcome> => {
    events.push(event);
    return answer;
  };
  const binding = createBinding({ type: 'eventGridTrigger', name: 'event', cardinality });
  const options = trigger.parse(binding, createScope());
  const context = { applicationId: 'shop', functionName: 'Told', invoke } as unknown as ListenerContext;
  await trigger.listen(options, context).start(new AbortController().signal);
  const send = (body: unknown, type = 'Notification', given: Partial<WebhookRequest> = {}) =>
    webhook.serve('shop', {
      method: 'POST',
      headers: new Map([['aeg-event-type', type]]),
      query: new Map([['functionname', 'told']]),
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...given,
    });
  const seen = () => events.map(({ data }) => (data.data?.$case === 'json' ? JSON.parse(data.data.value) : undefined));
  return { trigger, options, context, events, send, seen };
}

const made = (n: number) => ({ id: String(n), eventType: 'made', data: { n } });

describe('the Event Grid trigger', () => {
  it('runs once for each event, in Event Grid’s schema and as CloudEvents', async () => {
    const { send, seen, events } = await rig();
    expect(await send([made(1), made(2)])).toMatchObject({ status: 202 });
    const cloud = { specversion: '1.0', type: 'made', id: '3', data: 'text' };
    expect(await send(cloud)).toMatchObject({ status: 202 });
    expect(seen()).toEqual([made(1), made(2), cloud]);
    expect(events[0]?.metadata.get('data')).toEqual({ data: { $case: 'json', value: '{"n":1}' } });
    expect(events[2]?.metadata.get('data')).toEqual({ data: { $case: 'json', value: '"text"' } });
  });

  it('gives all of them at once to a function that takes many', async () => {
    const { send, seen } = await rig('many');
    expect(await send([made(1), made(2)])).toMatchObject({ status: 202 });
    expect(seen()).toEqual([[made(1), made(2)]]);
  });

  it('is 500 when a run fails, so that the events come again', async () => {
    const { send } = await rig('one', failed);
    expect(await send([made(1)])).toMatchObject({ status: 500 });
  });

  it('gives the code of the handshake back, and runs nothing', async () => {
    const { send, events } = await rig();
    const reply = await send([{ data: { validationCode: 'abc' } }], 'SubscriptionValidation');
    expect(reply).toMatchObject({ status: 200, body: '{"validationResponse":"abc"}' });
    expect(events).toEqual([]);
  });

  it.each<[what: string, body: unknown, type: string, status: number]>([
    ['a handshake without a code', [{}], 'SubscriptionValidation', 400],
    ['the end of a subscription', [], 'Unsubscribe', 202],
    ['another kind of request', [made(1)], 'Nonsense', 400],
    ['no JSON', '{', 'Notification', 400],
    ['no object', ['x'], 'Notification', 400],
    ['another schema', [{ id: '1' }], 'Notification', 409],
    ['too many events', Array.from({ length: 5_001 }, () => ({})), 'Notification', 400],
  ])('answers %s without a run', async (_what, body, type, status) => {
    const { send, events } = await rig();
    expect(await send(body, type)).toMatchObject({ status });
    expect(events).toEqual([]);
  });

  it('allows the origin that asks', async () => {
    const { send } = await rig();
    const headers = new Map([
      ['webhook-request-origin', 'events.example.org'],
      ['webhook-request-rate', '100'],
    ]);
    expect(await send('', '', { method: 'OPTIONS', headers })).toEqual({
      kind: 'reply',
      status: 200,
      headers: [
        ['WebHook-Allowed-Origin', 'events.example.org'],
        ['WebHook-Allowed-Rate', '*'],
      ],
    });
  });

  it('knows no function that does not listen', async () => {
    const { send } = await rig();
    expect(await send([made(1)], 'Notification', { query: new Map([['functionname', 'other']]) })).toEqual({
      kind: 'unknown',
    });
    expect(await send([made(1)], 'Notification', { query: new Map() })).toEqual({ kind: 'unknown' });
  });

  it('takes an event in JSON for a run by hand, and nothing else', async () => {
    const { trigger, options, context } = await rig();
    const run = (input: string) => trigger.toManualEvent?.(options, input, context);
    expect(await run('{"id":"1","data":1}')).toMatchObject({
      kind: 'event',
      event: { data: { data: { value: '{"id":"1","data":1}' } } },
    });
    expect(await run('nonsense')).toMatchObject({ kind: 'refused' });
  });
});
