import { app } from '@azure/functions';

// Bytes in, the same bytes backwards out.
// curl --data-binary @picture.png localhost:7071/api/reverse --output backwards.bin
app.http('reverse', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => {
    const bytes = new Uint8Array(await request.arrayBuffer());
    return { body: bytes.reverse(), headers: { 'content-type': 'application/octet-stream' } };
  },
});
