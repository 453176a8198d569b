import { app, input, output } from '@azure/functions';
import { note } from '../notes.js';

const connection = 'AzureWebJobsStorage';

/** Turns bytes into text, so that a note can hold them. */
const shown = (value) => (Buffer.isBuffer(value) ? { base64: value.toString('base64') } : value);

app.storageQueue('queueSees', {
  queueName: 'kit-sees',
  connection,
  handler: (message, context) => {
    const seen = { message: shown(message), metadata: context.triggerMetadata, invocationId: context.invocationId };
    note(`queue-${context.triggerMetadata.id}`, seen);
    // A JSON message may bring an id of its own, and that one wins.
    if (message?.kitKey !== undefined) note(message.kitKey, seen);
  },
});
app.storageQueue('queueSettings', {
  queueName: '%KIT_QUEUE%',
  connection,
  handler: (message) => note(message.kitKey, message),
});
app.storageQueue('queueFails', {
  queueName: 'kit-fails',
  connection,
  handler: (message, context) => {
    note(message.kitKey, context.triggerMetadata.dequeueCount);
    throw new Error('fails always');
  },
});
app.storageQueue('queueFailsOnce', {
  queueName: 'kit-fails-once',
  connection,
  handler: (message, context) => {
    note(message.kitKey, context.triggerMetadata.dequeueCount);
    if (Number(context.triggerMetadata.dequeueCount) < 2) throw new Error('fails once');
  },
});
app.storageQueue('queueChain', {
  queueName: 'kit-chain',
  connection,
  return: output.storageQueue({ queueName: 'kit-{target}', connection }),
  handler: (message) => ({ from: 'chain', kitKey: message.kitKey }),
});

/** Sends what the request holds, the way it says. */
const sent = output.storageQueue({ queueName: 'kit-out-{target}', connection });
app.http('queueSend', {
  route: 'queue/send/{target}',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraOutputs: [sent],
  handler: async (request, context) => {
    context.extraOutputs.set(sent, await request.json());
    return { status: 202 };
  },
});

app.storageBlob('blobSees', {
  path: 'kit-blobs/{name}.{extension}',
  connection,
  handler: (content, context) =>
    note(`blob-${context.triggerMetadata.name}`, { content: shown(content), metadata: context.triggerMetadata }),
});
app.storageBlob('blobFails', {
  path: 'kit-blobs-bad/{name}',
  connection,
  handler: (_content, context) => {
    note(`blob-${context.triggerMetadata.name}`, 'try');
    throw new Error('fails always');
  },
});
app.storageBlob('blobChain', {
  path: 'kit-chain/{name}.in',
  connection,
  return: output.storageBlob({ path: 'kit-chain/{name}.out', connection }),
  handler: (content) => content.toString('utf8').toUpperCase(),
});

const readBlob = input.storageBlob({ path: 'kit-read/{name}', connection });
app.http('blobRead', {
  route: 'blob/read/{name}',
  methods: ['GET'],
  authLevel: 'anonymous',
  extraInputs: [readBlob],
  handler: (_request, context) => {
    const content = context.extraInputs.get(readBlob);
    return { jsonBody: { isThere: content !== null && content !== undefined, content: shown(content) } };
  },
});

/** One function for each path of a blob that is written. */
const writtenPaths = {
  route: 'kit-written/{name}/route',
  setting: 'kit-written/{name}/%KIT_FOLDER%',
  guid: 'kit-written/{name}/guid/{rand-guid}',
  guidN: 'kit-written/{name}/guid-n/{rand-guid:N}',
  guidD: 'kit-written/{name}/guid-d/{rand-guid:D}',
  guidB: 'kit-written/{name}/guid-b/{rand-guid:B}',
  datetime: 'kit-written/{name}/datetime/{datetime}',
  date: 'kit-written/{name}/date/{datetime:yyyy-MM-dd}',
  month: 'kit-written/{name}/month/{datetime:yyyy/MM}',
  clock: 'kit-written/{name}/clock/{datetime:HHmmss}',
  method: 'kit-written/{name}/method/{sys.MethodName}',
  sysGuid: 'kit-written/{name}/sys-guid/{sys.RandGuid}',
  sysDate: 'kit-written/{name}/sys-date/{sys.UtcNow:yyyy}',
  query: 'kit-written/{name}/query/{q}',
  queryObject: 'kit-written/{name}/query-object/{Query.q}',
  header: 'kit-written/{name}/header/{Headers.x-kit}',
  body: 'kit-written/{name}/body/{inBody}',
  anyCase: 'kit-written/{NAME}/any-case/{INBODY}',
  nested: 'kit-written/{name}/nested/{outer.inner}',
  code: 'kit-written/{name}/code/{code}',
  missing: 'kit-written/{name}/missing/{nobodyHasThis}',
  object: 'kit-written/{name}/object/{outer}',
  wins: 'kit-written/{name}/wins/{datetime}',
  newContainer: 'kit-new-{name}/file',
};
for (const [kind, path] of Object.entries(writtenPaths)) {
  const written = output.storageBlob({ path, connection });
  app.http(`write_${kind}`, {
    route: `write/${kind}/{name}`,
    methods: ['POST'],
    authLevel: 'anonymous',
    extraOutputs: [written],
    handler: (_request, context) => {
      context.extraOutputs.set(written, `written by ${kind}`);
      return { status: 201 };
    },
  });
}

const row = output.table({ tableName: 'kitrows', connection });
app.http('tableWrite', {
  route: 'table/write',
  methods: ['POST'],
  authLevel: 'anonymous',
  extraOutputs: [row],
  handler: async (request, context) => {
    context.extraOutputs.set(row, await request.json());
    return { status: 201 };
  },
});
const tableInputs = {
  entity: { partitionKey: '{p}', rowKey: '{r}' },
  partition: { partitionKey: '{p}' },
  take: { partitionKey: '{p}', take: 2 },
  filter: { partitionKey: '{p}', filter: "color eq '{color}'" },
};
for (const [kind, keys] of Object.entries(tableInputs)) {
  const rows = input.table({ tableName: 'kitrows', connection, ...keys });
  app.http(`table_${kind}`, {
    route: `table/${kind}/{p}/{r?}`,
    methods: ['GET'],
    authLevel: 'anonymous',
    extraInputs: [rows],
    handler: (_request, context) => ({ jsonBody: { value: context.extraInputs.get(rows) ?? null } }),
  });
}
