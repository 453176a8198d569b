import { app, output } from '@azure/functions';

// Every new or changed blob in `documents` -> queue `word-counts`. The `{id}` of the path is there as metadata.
app.storageBlob('countWords', {
  path: 'documents/{id}.txt',
  connection: 'AzureWebJobsStorage',
  return: output.storageQueue({ queueName: 'word-counts', connection: 'AzureWebJobsStorage' }),
  handler: (blob, context) => {
    const words = blob.toString('utf8').match(/\p{L}+/gu) ?? [];
    context.log(`${context.triggerMetadata.id} has ${words.length} words`);
    return { id: context.triggerMetadata.id, words: words.length };
  },
});
