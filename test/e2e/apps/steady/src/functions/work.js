import { app, output } from '@azure/functions';

/** What a message asks for: `throw` fails every time, `hang` never ends on the first try, anything else succeeds. */
app.storageQueue('work', {
  queueName: 'work',
  connection: 'AzureWebJobsStorage',
  return: output.storageQueue({ queueName: 'done', connection: 'AzureWebJobsStorage' }),
  handler: async (message, context) => {
    const attempt = context.triggerMetadata.dequeueCount;
    context.log(`try ${attempt} of ${message.id} in process ${process.pid}`);
    if (message.kind === 'throw') throw new Error(`${message.id} always fails`);
    if (message.kind === 'hang' && Number(attempt) === 1) await new Promise(() => {});
    return { id: message.id, attempt: Number(attempt) };
  },
});
