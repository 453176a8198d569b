import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });

app.http('echo', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: (request) => ({
    body: request.body,
    headers: { 'x-caller': request.headers.get('authorization') ?? '' },
  }),
});
