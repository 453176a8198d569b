import { app, output } from '@azure/functions';

const documents = output.storageQueue({ queueName: 'documents', connection: 'AzureWebJobsStorage' });

// The way of a document begins here: HTTP -> queue `documents`.
// curl -d '{"id": "poem", "text": "The sea, the sea"}' localhost:7071/api/documents
app.http('receiveDocument', {
  methods: ['POST'],
  authLevel: 'anonymous',
  route: 'documents',
  extraOutputs: [documents],
  handler: async (request, context) => {
    const { id, text } = await request.json();
    if (!/^[a-z0-9-]{1,40}$/.test(id) || typeof text !== 'string') {
      return { status: 400, jsonBody: { error: 'send JSON like {"id": "poem", "text": "The sea, the sea"}' } };
    }
    context.extraOutputs.set(documents, { id, text });
    return { status: 202, headers: { location: `/api/documents/${id}` } };
  },
});
