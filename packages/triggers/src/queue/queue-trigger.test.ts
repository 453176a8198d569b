import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { MemoryQueues } from '../testing/memory-queues.ts';
import { createBinding, createScope } from '../testing/scope.ts';
import type { QueueTriggerOptions } from './queue-listener.ts';
import { QueueSignals } from './queue-signals.ts';
import { createQueueTrigger } from './queue-trigger.ts';

const kind = createQueueTrigger({ service: new MemoryQueues(new VirtualClock()), signals: new QueueSignals() });
const development = { AzureWebJobsStorage: 'UseDevelopmentStorage=true' };

function parse(raw: Record<string, unknown>, settings: Record<string, string> = development): QueueTriggerOptions {
  return kind.parse(createBinding({ name: 'item', type: 'queueTrigger', ...raw }), createScope({ settings }));
}

describe('createQueueTrigger', () => {
  it('resolves name, connection and host.json', () => {
    const options = parse({ queueName: '%PREFIX%-Orders', dataType: 'binary' }, { ...development, PREFIX: 'Shop' });
    expect(options).toMatchObject({
      queueName: 'shop-orders',
      dataType: 'binary',
      isDeferred: false,
      queues: { batchSize: 16, maxDequeueCount: 5 },
      connection: { queueEndpoint: 'http://127.0.0.1:10001/devstoreaccount1' },
    });
  });

  it.each([
    [{}, /Hello.*"queueName" is missing/],
    [{ queueName: 5 }, /"queueName" is 5/],
    [{ queueName: 'no_underscores' }, /'no_underscores' is no name/],
    [{ queueName: 'orders', connection: 'Missing' }, /Hello.*the setting 'Missing' is missing.*local\.settings\.json/],
  ])('refuses %o and says why', (raw, message) => {
    expect(() => parse(raw)).toThrow(message);
  });
});
