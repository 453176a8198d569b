/** The example app `event-pipeline`, on an AMQP broker and a real storage emulator: HTTP -> event hub -> queue. */
import { type AmqpEventHub, type AmqpPeer, openAmqpPeer } from '@switchyard/testkit/amqp';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue, type TestQueue } from './queues.ts';

interface Summary {
  readonly devices: readonly string[];
}

describe.skipIf(azuritePart.skip)('the event pipeline', () => {
  let azurite: Azurite;
  let summaries: TestQueue;
  let peer: AmqpPeer;
  let hub: AmqpEventHub;
  let dev: DevProcess;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    summaries = await openQueue(azurite.connectionString, 'summaries');
  });
  afterAll(() => azurite.stop());
  beforeEach(async () => {
    peer = await openAmqpPeer();
    hub = peer.declareEventHub('readings', 2);
  });
  afterEach(async () => {
    await dev.close();
    await peer.close();
  });

  const start = async (): Promise<void> => {
    const environment = { AzureWebJobsStorage: azurite.connectionString, EventHubs: peer.connectionString };
    dev = await startDevProcess({ apps: [exampleApp('event-pipeline')], environment });
  };

  /** The devices of the next summaries, until there are so many. */
  async function devices(count: number): Promise<string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const taken = (await summaries.take(1)) as readonly Summary[];
      seen.push(...taken.flatMap((summary) => summary.devices));
    }
    return seen.sort();
  }

  it('carries readings through, and goes on after a restart where it was', async () => {
    await start();
    const body = JSON.stringify([
      { device: 'a', celsius: 20 },
      { device: 'b', celsius: 21 },
    ]);
    expect(await dev.request('/api/readings', { body })).toMatchObject({ status: 202, text: '{"taken":2}' });
    expect(await devices(2)).toEqual(['a', 'b']);
    await dev.close();
    for (const device of ['c', 'd']) hub.append({ body: Buffer.from(JSON.stringify({ device, celsius: 5 })) });
    await start();
    expect(await devices(2)).toEqual(['c', 'd']);
    expect(await summaries.size()).toBe(0);
    expect(dev.lines).toContain('\tsumReadings: eventHubTrigger');
  });
});
