import { app } from '@azure/functions';

// The request's body is the response's: what comes goes back at once, while the rest is still on its way.
// curl -T large.iso localhost:7071/api/echo | sha256sum
app.http('echo', {
  methods: ['POST', 'PUT'],
  authLevel: 'anonymous',
  handler: (request) => ({
    headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
    body: request.body,
  }),
});
