import type { TypedData } from '@switchyard/protocol';
import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { createBinding, createContext, createScope } from '../testing/scope.ts';
import { jsonData, textData, toTypedData } from '../typed-data.ts';
import { createQueueOutput } from './queue-output.ts';
import { QueueSignals } from './queue-signals.ts';

const settings = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

interface Sent {
  readonly queues: MemoryQueues;
  readonly clock: VirtualClock;
  readonly woken: string[];
  readonly write: (value: TypedData, data?: ReadonlyMap<string, TypedData>) => Promise<void>;
  readonly texts: (queue?: string) => readonly string[] | undefined;
}

/** An output binding, and what lies in its queues. */
function outputOf(queueName = 'Results', messageEncoding = 'none'): Sent {
  const clock = new VirtualClock();
  const queues = new MemoryQueues(clock);
  const signals = new QueueSignals();
  const woken: string[] = [];
  const kind = createQueueOutput({ service: queues, signals });
  const binding = createBinding({ name: 'out', type: 'queue', direction: 'out', queueName });
  const options = kind.parse(binding, createScope({ settings, extensions: { queues: { messageEncoding } } }));
  signals.subscribe(options.connection.queueEndpoint, 'results', () => woken.push('results'));
  const context = createContext({ clock, random: createSeededRandom(1) });
  return {
    queues,
    clock,
    woken,
    write: (value, data = new Map()) => kind.write(options, value, data, context),
    texts: (queue = 'results') => queues.texts(options.connection, queue),
  };
}

describe('createQueueOutput', () => {
  it.each([
    ['a text', textData('hi'), ['hi']],
    ['an empty text', textData(''), ['']],
    ['an object', jsonData('{"a": [1]}'), ['{"a":[1]}']],
    ['a list', jsonData('["a",{"b":1},2,null,true]'), ['a', '{"b":1}', '2', '', 'true']],
    ['an empty list', jsonData('[]'), []],
    ['a list in a text', textData(' ["a","b"] '), ['a', 'b']],
    ['a text that only looks like a list', textData('[a]'), ['[a]']],
    ['a JSON text', jsonData('"hi"'), ['hi']],
    ['a number', toTypedData(5), ['5']],
    ['bytes', toTypedData(new Uint8Array([104, 105])), ['hi']],
  ] as [string, TypedData, string[]][])('sends %s', async (_name, value, expected) => {
    const output = outputOf();
    await output.write(value);
    expect(output.texts() ?? []).toEqual(expected);
  });

  it('sends nothing for nothing', async () => {
    const output = outputOf();
    await output.write({ data: undefined });
    await output.write(jsonData('null'));
    expect(output.texts()).toBeUndefined();
  });

  it('encodes as host.json says', async () => {
    const output = outputOf('results', 'base64');
    await output.write(textData('hi'));
    expect(output.texts()).toEqual(['aGk=']);
  });

  it('creates the queue, and wakes its listeners once the message is there', async () => {
    const output = outputOf();
    await output.write(textData('hi'));
    expect(output.queues.requests).toEqual(['send results', 'create results', 'send results']);
    expect(output.woken).toEqual(['results']);
  });

  it('fills names from binding data, in lower case', async () => {
    const output = outputOf('To-{Customer}');
    await output.write(textData('hi'), new Map([['customer', textData('ACME')]]));
    expect(output.texts('to-acme')).toEqual(['hi']);
    await expect(output.write(textData('hi'))).rejects.toThrow(/[Cc]ustomer/);
    const bad = new Map([['customer', textData('a/b')]]);
    await expect(output.write(textData('hi'), bad)).rejects.toThrow("'to-a/b' is no name");
  });

  it('refuses a message that the service would not take', async () => {
    const output = outputOf('results', 'base64');
    await output.write(textData('x'.repeat(49_152)));
    await expect(output.write(textData('x'.repeat(49_153)))).rejects.toThrow(/65540 bytes.*65536/);
  });

  it('tries again when a request fails, and rejects when all do', async () => {
    const output = outputOf();
    let failures = 2;
    output.queues.fault = () => (failures-- > 0 ? Promise.reject(new Error('down')) : undefined);
    await output.clock.runUntil(output.write(textData('hi')));
    expect(output.texts()).toEqual(['hi']);
    output.queues.fault = () => Promise.reject(new Error('down'));
    await expect(output.clock.runUntil(output.write(textData('no')))).rejects.toThrow('down');
    expect(output.woken).toEqual(['results']);
  });

  it('gives up on a queue that disappears again and again', async () => {
    const output = outputOf();
    const connection = { ...output, queueEndpoint: 'http://127.0.0.1:10001/devstoreaccount1' };
    output.queues.fault = (operation) => {
      if (operation === 'send') output.queues.remove(connection as never, 'results');
      return undefined;
    };
    await expect(output.write(textData('hi'))).rejects.toThrow(/disappeared/);
  });

  it('refuses a bad name and a missing connection while it parses', () => {
    expect(() => outputOf('no_underscores')).toThrow("'no_underscores' is no name");
    const kind = createQueueOutput({ service: new MemoryQueues(new VirtualClock()), signals: new QueueSignals() });
    const binding = createBinding({ name: 'out', type: 'queue', queueName: 'results' });
    expect(() => kind.parse(binding, createScope())).toThrow(/'AzureWebJobsStorage' is missing/);
  });
});
