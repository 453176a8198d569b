import { app, input, output } from '@azure/functions';

const labels = output.generic({ type: 'redis', connection: 'RedisConnection', command: 'RPUSH labels' });
const printed = input.generic({ type: 'redis', connection: 'RedisConnection', command: 'GET label:{id}' });

// HTTP -> list `labels` of Redis.
// curl -d '{"id": "p-1", "to": "Ada"}' localhost:7071/api/labels
app.http('sendLabel', {
  methods: ['POST'],
  authLevel: 'anonymous',
  route: 'labels',
  extraOutputs: [labels],
  handler: async (request, context) => {
    context.extraOutputs.set(labels, [await request.text()]);
    return { status: 202 };
  },
});

// List `labels` -> the value `label:<id>`. It is disabled in local.settings.json until a Redis server runs here.
app.generic('printLabel', {
  trigger: {
    type: 'redisListTrigger',
    name: 'label',
    connection: 'RedisConnection',
    key: 'labels',
    pollingIntervalInMs: 100,
  },
  return: output.generic({ type: 'redis', connection: 'RedisConnection', command: 'SET' }),
  handler: (label, context) => {
    context.log(`Label ${label.id}`);
    return [`label:${label.id}`, `To ${label.to}`];
  },
});

// curl localhost:7071/api/labels/p-1
app.http('readLabel', {
  methods: ['GET'],
  authLevel: 'anonymous',
  route: 'labels/{id}',
  extraInputs: [printed],
  handler: (_request, context) => {
    const label = context.extraInputs.get(printed);
    return label === undefined || label === null ? { status: 404 } : { body: label };
  },
});

// Stream `scans`, in a consumer group that all hosts of the function share.
app.generic('followScans', {
  trigger: {
    type: 'redisStreamTrigger',
    name: 'scan',
    connection: 'RedisConnection',
    key: 'scans',
    pollingIntervalInMs: 100,
  },
  handler: (scan, context) => context.log(`Scan ${context.triggerMetadata.id} of ${scan.Values.parcel}`),
});

// Channel `depots.*`: who hears nothing of it at the moment hears nothing of it ever.
app.generic('hearDepots', {
  trigger: {
    type: 'redisPubSubTrigger',
    name: 'news',
    connection: 'RedisConnection',
    channel: 'depots.*',
    pattern: true,
  },
  handler: (news, context) => context.log(`${context.triggerMetadata.channel}: ${news}`),
});
