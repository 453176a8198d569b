import { app } from '@azure/functions';

/** Answers after `ms`, and says when it begins. */
app.http('wait', {
  methods: ['GET'],
  authLevel: 'anonymous',
  route: 'wait/{ms:int}',
  handler: async (request, context) => {
    context.log('the wait begins');
    await new Promise((resolve) => setTimeout(resolve, Number(request.params.ms)));
    return { body: 'waited' };
  },
});

/** Tells what the function sees of the request. */
app.http('mirror', {
  methods: ['GET', 'POST', 'PUT'],
  authLevel: 'anonymous',
  route: 'mirror/{*rest}',
  handler: async (request) => ({
    status: 201,
    headers: { 'x-method': request.method, 'content-type': 'application/json' },
    body: JSON.stringify({
      url: request.url,
      params: request.params,
      query: Object.fromEntries(request.query),
      header: request.headers.get('x-sent'),
      bytes: [...new Uint8Array(await request.arrayBuffer())],
    }),
  }),
});

/** Logs a line for each level and fails. */
app.http('fail', {
  authLevel: 'anonymous',
  handler: (_request, context) => {
    context.warn('this will not end well');
    console.log('printed by the app');
    throw new Error('it did not end well');
  },
});

app.http('environment', {
  authLevel: 'anonymous',
  handler: () => ({ jsonBody: { ...process.env, cwd: process.cwd(), pid: process.pid } }),
});
