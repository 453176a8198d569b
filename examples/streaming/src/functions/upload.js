import { createHash } from 'node:crypto';
import { app } from '@azure/functions';

// Takes a body of any size and keeps none of it: each part is hashed as it comes.
// curl -T large.iso localhost:7071/api/upload
app.http('upload', {
  methods: ['POST', 'PUT'],
  authLevel: 'anonymous',
  handler: async (request, context) => {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    for await (const part of request.body ?? []) {
      hash.update(part);
      sizeBytes += part.byteLength;
    }
    context.log(`Received ${sizeBytes} bytes`);
    return { jsonBody: { sizeBytes, sha256: hash.digest('hex') } };
  },
});
