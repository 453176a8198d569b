import { app, output } from '@azure/functions';

// Batches of event hub `readings` -> queue `summaries`. A batch comes from one partition, in order.
app.eventHub('sumReadings', {
  eventHubName: 'readings',
  connection: 'EventHubs',
  cardinality: 'many',
  return: output.storageQueue({ queueName: 'summaries', connection: 'AzureWebJobsStorage' }),
  handler: (events, context) => {
    const { partitionContext, sequenceNumberArray } = context.triggerMetadata;
    const warmest = Math.max(...events.map(({ celsius }) => celsius));
    context.log(`Partition ${partitionContext.partitionId} has ${events.length} readings, ${warmest} at most`);
    return {
      partition: partitionContext.partitionId,
      devices: events.map(({ device }) => device),
      warmest,
      upTo: sequenceNumberArray.at(-1),
    };
  },
});
