import { setTimeout as pause } from 'node:timers/promises';
import { app } from '@azure/functions';
import { note, notesOf } from '../notes.js';

const policies = {
  none: undefined,
  fixed: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { milliseconds: 20 } },
  exponential: {
    strategy: 'exponentialBackoff',
    maxRetryCount: 3,
    minimumInterval: { milliseconds: 10 },
    maximumInterval: { milliseconds: 50 },
  },
  forever: { strategy: 'fixedDelay', maxRetryCount: -1, delayInterval: { milliseconds: 10 } },
};

/** Fails as often as the request asks for, and remembers each try. */
for (const [name, retry] of Object.entries(policies))
  app.http(`retry_${name}`, {
    route: `retry/${name}/{key}/{failures:int}`,
    methods: ['GET'],
    authLevel: 'anonymous',
    ...(retry && { retry }),
    handler: (request, context) => {
      const { key, failures } = request.params;
      note(key, { invocationId: context.invocationId, retry: context.retryContext ?? null });
      if (notesOf(key).length <= Number(failures)) throw new Error(`failure ${notesOf(key).length}`);
      return { jsonBody: notesOf(key) };
    },
  });

app.storageQueue('retryQueue', {
  queueName: 'kit-retries',
  connection: 'AzureWebJobsStorage',
  retry: policies.fixed,
  handler: (message, context) => {
    note(message.kitKey, {
      invocationId: context.invocationId,
      retry: context.retryContext ?? null,
      dequeueCount: context.triggerMetadata.dequeueCount,
    });
    if (notesOf(message.kitKey).length <= message.failures) throw new Error('not yet');
  },
});

app.http('slow', {
  route: 'slow/{ms:int}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async (request) => {
    await pause(Number(request.params.ms));
    return { body: 'slow' };
  },
});
