import { Secret, silentLog, silentMeter } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { BindingContext } from '../contract.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import { toTypedData } from '../typed-data.ts';
import { createEventGridOutput } from './event-grid-output.ts';
import type { EventTopic } from './event-publisher.ts';

const settings = { TOPIC: 'https://topic.example.org/api/events', KEY: 'the-secret' };
const context: BindingContext = {
  applicationId: 'shop',
  hostId: 'host',
  functionName: 'Hello',
  settings: createSettingsView(new Map(Object.entries(settings))),
  clock: new VirtualClock(),
  random: createSeededRandom(1),
  log: silentLog,
  meter: silentMeter,
};

function rig(answer: () => Promise<{ status: number }> = async () => ({ status: 200 })) {
  const sent: { topic: EventTopic; events: Record<string, unknown>[] }[] = [];
  const publisher = {
    publish: (topic: EventTopic, body: string) => {
      sent.push({ topic, events: JSON.parse(body) });
      return answer();
    },
  };
  const kind = createEventGridOutput({ publisher });
  const binding = { type: 'eventGrid', name: 'out', topicEndpointUri: 'TOPIC', topicKeySetting: 'KEY' };
  const options = kind.parse(createBinding(binding), createScope({ settings }));
  const write = (value: unknown) => kind.write(options, toTypedData(value), new Map(), context);
  return { kind, sent, write };
}

describe('the Event Grid output', () => {
  it('publishes one event or a list, and fills in what Event Grid insists on', async () => {
    const { write, sent } = rig();
    await write({ eventType: 'made', subject: 's', data: { a: 1 } });
    await write([{ id: 'own', eventTime: 'then', dataVersion: '2', eventType: 'made', subject: 's' }, '{"id":"text"}']);
    expect(sent[0]?.topic).toEqual({
      endpoint: settings.TOPIC,
      access: { kind: 'key', key: new Secret(settings.KEY) },
      isCloudEvents: false,
    });
    expect(sent[0]?.events).toMatchObject([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        dataVersion: '1.0',
        eventTime: expect.stringMatching(/Z$/),
        data: { a: 1 },
      },
    ]);
    expect(sent[1]?.events).toMatchObject([{ id: 'own', eventTime: 'then', dataVersion: '2' }, { id: 'text' }]);
  });

  it('publishes CloudEvents as such', async () => {
    const { write, sent } = rig();
    await write([{ specversion: '1.0', type: 'made', source: '/x' }]);
    expect(sent[0]?.topic.isCloudEvents).toBe(true);
    expect(Object.keys(sent[0]?.events[0] ?? {}).sort()).toEqual(['id', 'source', 'specversion', 'time', 'type']);
  });

  it('sends nothing for nothing', async () => {
    const { write, sent } = rig();
    for (const value of [undefined, null, []]) await write(value);
    expect(sent).toEqual([]);
  });

  it.each([[1], ['text'], [[{ id: '1' }, 2]]])('refuses %j', async (value) => {
    await expect(rig().write(value)).rejects.toMatchObject({ code: 'EVENT_GRID_EVENT_INVALID' });
  });

  it.each<[what: string, answer: () => Promise<{ status: number }>, reason: string]>([
    ['a refusal', async () => ({ status: 401 }), 'it answered 401'],
    ['no answer', () => Promise.reject(new Error('connect ECONNREFUSED')), 'ECONNREFUSED'],
  ])('tells of %s, and never of the key', async (_what, answer, reason) => {
    const thrown = await rig(answer)
      .write({ id: '1' })
      .catch((error: Error) => error.message);
    expect(thrown).toContain('topic.example.org');
    expect(thrown).toContain(reason);
    expect(thrown).not.toContain(settings.KEY);
  });

  it('takes the topic and its identity from the members of a connection', () => {
    const members = {
      Topic__topicEndpointUri: 'https://topic.example.org/api/events',
      Topic__credential: 'managedidentity',
      Topic__clientId: 'c',
    };
    const binding = createBinding({ type: 'eventGrid', name: 'out', connection: 'Topic' });
    expect(rig().kind.parse(binding, createScope({ settings: members }))).toMatchObject({
      endpoint: members.Topic__topicEndpointUri,
      access: { kind: 'identity', identity: { kind: 'managed', clientId: 'c' } },
    });
    for (const [settings, problem] of [
      [{}, "the app setting 'Topic__topicEndpointUri' is missing"],
      [{ ...members, Topic__topicEndpointUri: 'http://topic.example.org' }, 'tokens travel over TLS alone'],
      [{ ...members, Topic__credential: 'magic' }, 'cannot be used: its "credential" is neither'],
    ] as const) {
      expect(() => rig().kind.parse(binding, createScope({ settings }))).toThrow(problem);
    }
  });

  it.each([
    [{}, '"topicEndpointUri" is missing'],
    [{ topicEndpointUri: 'TOPIC' }, '"topicKeySetting" is missing'],
    [{ topicEndpointUri: 'NONE', topicKeySetting: 'KEY' }, "the app setting 'NONE' is missing"],
    [{ topicEndpointUri: 'KEY', topicKeySetting: 'KEY' }, "the app setting 'KEY' is no address"],
  ])('refuses the binding %j', (given, problem) => {
    const { kind } = rig();
    const binding = createBinding({ type: 'eventGrid', name: 'out', ...given });
    expect(() => kind.parse(binding, createScope({ settings }))).toThrow(problem);
  });
});
