/** Functions to begin with, as data. A new one is an entry here; its trigger must be a kind that Switchyard runs. */
import type { AuthLevel } from './choices.ts';

export interface FunctionTemplateOptions {
  /** Letters, digits, `_` and `-`. */
  readonly name: string;
  readonly authLevel: AuthLevel;
}

export interface FunctionTemplate {
  /** What the user types. */
  readonly trigger: string;
  readonly summary: string;
  /** How the official tools call their template, in lower case and without blanks. */
  readonly officialNames: readonly string[];
  readonly defaultName: string;
  /** The function reads AzureWebJobsStorage. */
  readonly usesStorage: boolean;
  /** Another setting that the function needs, and what it may be on the user's machine. */
  readonly setting?: { readonly name: string; readonly example: string };
  /** v4: the call that registers it, which is the same in JavaScript and TypeScript. */
  readonly registration: (options: FunctionTemplateOptions) => string;
  /** v3: the bindings of its function.json, and its script. */
  readonly bindings: (options: FunctionTemplateOptions) => readonly object[];
  readonly script: string;
}

const storageConnection = 'AzureWebJobsStorage';

/** The namespace of the emulators of Event Hubs and Service Bus. */
const emulator =
  'Endpoint=sb://localhost;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;';

export const functionTemplates: readonly FunctionTemplate[] = [
  {
    trigger: 'http',
    summary: 'answers HTTP requests',
    officialNames: ['httptrigger', 'http'],
    defaultName: 'hello',
    usesStorage: false,
    registration: ({ name, authLevel }) => `app.http('${name}', {
  methods: ['GET', 'POST'],
  authLevel: '${authLevel}',
  handler: async (request, context) => {
    const caller = request.query.get('name') || (await request.text()) || 'world';
    context.log(\`Saying hello to \${caller}\`);
    return { body: \`Hello, \${caller}!\` };
  },
});
`,
    bindings: ({ authLevel }) => [
      { type: 'httpTrigger', direction: 'in', name: 'request', authLevel, methods: ['get', 'post'] },
      { type: 'http', direction: 'out', name: '$return' },
    ],
    script: `module.exports = async (context, request) => {
  const caller = request.query.name || request.rawBody || 'world';
  context.log(\`Saying hello to \${caller}\`);
  return { body: \`Hello, \${caller}!\` };
};
`,
  },
  {
    trigger: 'timer',
    summary: 'runs on a schedule',
    officialNames: ['timertrigger', 'timer'],
    defaultName: 'tick',
    usesStorage: false,
    registration: ({ name }) => `app.timer('${name}', {
  // Second, minute, hour, day, month, day of the week: every five minutes.
  schedule: '0 */5 * * * *',
  handler: async (timer, context) => {
    context.log(timer.isPastDue ? 'The timer fires late' : 'The timer fires');
  },
});
`,
    bindings: () => [{ type: 'timerTrigger', direction: 'in', name: 'timer', schedule: '0 */5 * * * *' }],
    script: `module.exports = async (context, timer) => {
  context.log(timer.isPastDue ? 'The timer fires late' : 'The timer fires');
};
`,
  },
  {
    trigger: 'queue',
    summary: 'handles messages of a storage queue',
    officialNames: ['azurequeuestoragetrigger', 'queuetrigger', 'queue'],
    defaultName: 'processItem',
    usesStorage: true,
    registration: ({ name }) => `app.storageQueue('${name}', {
  queueName: 'items',
  connection: '${storageConnection}',
  handler: async (item, context) => {
    context.log('Queue item:', item);
  },
});
`,
    bindings: () => [
      { type: 'queueTrigger', direction: 'in', name: 'item', queueName: 'items', connection: storageConnection },
    ],
    script: `module.exports = async (context, item) => {
  context.log('Queue item:', item);
};
`,
  },
  {
    trigger: 'blob',
    summary: 'handles files of a storage container',
    officialNames: ['azureblobstoragetrigger', 'blobtrigger', 'blob'],
    defaultName: 'processUpload',
    usesStorage: true,
    registration: ({ name }) => `app.storageBlob('${name}', {
  path: 'uploads/{name}',
  connection: '${storageConnection}',
  handler: async (blob, context) => {
    const size = blob instanceof Uint8Array ? blob.length : 0;
    context.log(\`Blob \${context.triggerMetadata?.name} has \${size} bytes\`);
  },
});
`,
    bindings: () => [
      {
        type: 'blobTrigger',
        direction: 'in',
        name: 'blob',
        path: 'uploads/{name}',
        dataType: 'binary',
        connection: storageConnection,
      },
    ],
    script: `module.exports = async (context, blob) => {
  context.log(\`Blob \${context.bindingData.name} has \${blob.length} bytes\`);
};
`,
  },
  {
    trigger: 'rabbitmq',
    summary: 'handles messages of a RabbitMQ queue',
    officialNames: ['rabbitmqtrigger', 'rabbitmq'],
    defaultName: 'processMessage',
    usesStorage: false,
    setting: { name: 'RabbitMQConnection', example: 'amqp://guest:guest@127.0.0.1:5672' },
    registration: ({ name }) => `app.generic('${name}', {
  trigger: { type: 'rabbitMQTrigger', name: 'message', queueName: 'items', connectionStringSetting: 'RabbitMQConnection' },
  handler: async (message, context) => {
    context.log('Message:', message);
  },
});
`,
    bindings: () => [
      {
        type: 'rabbitMQTrigger',
        direction: 'in',
        name: 'message',
        queueName: 'items',
        connectionStringSetting: 'RabbitMQConnection',
      },
    ],
    script: `module.exports = async (context, message) => {
  context.log('Message:', message);
};
`,
  },
  {
    trigger: 'eventhub',
    summary: 'handles events of an event hub, in batches',
    officialNames: ['azureeventhubtrigger', 'eventhubtrigger', 'eventhubs'],
    defaultName: 'processEvents',
    usesStorage: true,
    setting: { name: 'EventHubs', example: emulator },
    registration: ({ name }) => `app.eventHub('${name}', {
  eventHubName: 'events',
  connection: 'EventHubs',
  cardinality: 'many',
  handler: async (events, context) => {
    for (const event of Array.isArray(events) ? events : [events]) context.log('Event:', event);
  },
});
`,
    bindings: () => [
      {
        type: 'eventHubTrigger',
        direction: 'in',
        name: 'events',
        eventHubName: 'events',
        connection: 'EventHubs',
        cardinality: 'many',
      },
    ],
    script: `module.exports = async (context, events) => {
  for (const event of events) context.log('Event:', event);
};
`,
  },
  {
    trigger: 'servicebus',
    summary: 'handles messages of a Service Bus queue',
    officialNames: ['azureservicebusqueuetrigger', 'servicebusqueuetrigger', 'servicebustrigger'],
    defaultName: 'processMessage',
    usesStorage: false,
    setting: { name: 'ServiceBus', example: emulator },
    registration: ({ name }) => `app.serviceBusQueue('${name}', {
  queueName: 'messages',
  connection: 'ServiceBus',
  handler: async (message, context) => {
    context.log('Message:', message);
  },
});
`,
    bindings: () => [
      {
        type: 'serviceBusTrigger',
        direction: 'in',
        name: 'message',
        queueName: 'messages',
        connection: 'ServiceBus',
      },
    ],
    script: `module.exports = async (context, message) => {
  context.log('Message:', message);
};
`,
  },
  {
    trigger: 'redis',
    summary: 'handles entries of a Redis list',
    officialNames: ['redislisttrigger', 'redis'],
    defaultName: 'processEntry',
    usesStorage: false,
    setting: { name: 'RedisConnection', example: '127.0.0.1:6379' },
    registration: ({ name }) => `app.generic('${name}', {
  trigger: { type: 'redisListTrigger', name: 'entry', key: 'items', connection: 'RedisConnection' },
  handler: async (entry, context) => {
    context.log('Entry:', entry);
  },
});
`,
    bindings: () => [
      { type: 'redisListTrigger', direction: 'in', name: 'entry', key: 'items', connection: 'RedisConnection' },
    ],
    script: `module.exports = async (context, entry) => {
  context.log('Entry:', entry);
};
`,
  },
];
