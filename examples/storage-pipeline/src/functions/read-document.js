import { app, input } from '@azure/functions';

// The route's `{id}` chooses the blob; one that is not there is undefined.
const document = input.storageBlob({ path: 'documents/{id}.txt', connection: 'AzureWebJobsStorage' });

// curl localhost:7071/api/documents/poem
app.http('readDocument', {
  methods: ['GET'],
  authLevel: 'anonymous',
  route: 'documents/{id}',
  extraInputs: [document],
  handler: (_request, context) => {
    const text = context.extraInputs.get(document);
    return text === undefined || text === null ? { status: 404 } : { body: text };
  },
});
