import { app, output } from '@azure/functions';

// Queue `documents` -> blob `documents/<id>.txt`: `{id}` is the property of the message.
app.storageQueue('storeDocument', {
  queueName: 'documents',
  connection: 'AzureWebJobsStorage',
  return: output.storageBlob({ path: 'documents/{id}.txt', connection: 'AzureWebJobsStorage' }),
  handler: ({ text }) => text,
});
