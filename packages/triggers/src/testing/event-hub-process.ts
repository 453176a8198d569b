/**
 * A host of its own for tests that kill it: reads the hub `orders`, tells its parent of every function that starts and
 * ends, and lets only the first of each partition end.
 */
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { createSettingsView } from '@switchyard/model';
import { createAzureEventHubs } from '../azure-messaging/azure-event-hubs.ts';
import { createAzureBlobService } from '../azure-storage/azure-blob-service.ts';
import type { InvocationOutcome, TriggerEvent } from '../contract.ts';
import { createEventHubTrigger } from '../event-hub/event-hub-trigger.ts';
import { createBinding, createScope } from './scope.ts';
import { succeeded } from './scripted-invoke.ts';

process.once('message', (message) => {
  void listen((message as { readonly settings: Readonly<Record<string, string>> }).settings);
});

async function listen(settings: Readonly<Record<string, string>>): Promise<void> {
  const kind = createEventHubTrigger({ service: createAzureEventHubs(), blobs: createAzureBlobService() });
  const eventHubs = {
    maxEventBatchSize: 1,
    loadBalancingUpdateInterval: '00:00:01',
    partitionOwnershipExpirationInterval: '00:00:05',
  };
  const raw = { type: 'eventHubTrigger', name: 'event', connection: 'Hub', eventHubName: 'orders' };
  const options = kind.parse(createBinding(raw), createScope({ settings, extensions: { eventHubs } }));
  const listener = kind.listen(options, {
    applicationId: 'shop',
    hostId: 'host',
    functionName: 'Hello',
    settings: createSettingsView([]),
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    meter: silentMeter,
    invoke,
  });
  await listener.start(new AbortController().signal);
}

async function invoke({ data, metadata }: TriggerEvent): Promise<InvocationOutcome> {
  const text = data.data?.$case === 'string' ? data.data.value : '';
  process.send?.({ started: text });
  const sequence = metadata.get('SequenceNumber')?.data;
  if (sequence?.$case === 'json' && sequence.value !== '0') await new Promise(() => {});
  process.send?.({ finished: text });
  return succeeded();
}
