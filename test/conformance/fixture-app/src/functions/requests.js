import { app } from '@azure/functions';
import { notesOf } from '../notes.js';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Everything that a function sees of a request. */
async function see(request, context) {
  return {
    jsonBody: {
      method: request.method,
      url: request.url,
      query: Object.fromEntries(request.query),
      params: request.params,
      headers: Object.fromEntries(request.headers),
      body: Buffer.from(await request.arrayBuffer()).toString('base64'),
      functionName: context.functionName,
      invocationId: context.invocationId,
      traceParent: context.traceContext?.traceParent,
      traceState: context.traceContext?.traceState,
    },
  };
}
app.http('see', { route: 'see/{x?}', methods, authLevel: 'anonymous', handler: see });

app.http('mirror', {
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => ({
    headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
    body: new Uint8Array(await request.arrayBuffer()),
  }),
});

app.http('notes', {
  route: 'notes/{key}',
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: (request) => ({ jsonBody: notesOf(request.params.key) }),
});

for (const authLevel of ['anonymous', 'function', 'admin'])
  app.http(`level_${authLevel}`, { methods: ['GET', 'POST'], authLevel, handler: () => ({ body: authLevel }) });
/** The Node library would make it anonymous; a binding without a level has the one of the host. */
app.generic('level_byDefault', {
  trigger: { type: 'httpTrigger', name: 'request', methods: ['GET'] },
  return: { type: 'http', name: '$return' },
  handler: () => ({ body: 'default' }),
});
app.http('level_other', { methods: ['GET'], authLevel: 'function', handler: () => ({ body: 'other' }) });
app.generic('level_system', {
  trigger: { type: 'httpTrigger', name: 'request', authLevel: 'system', methods: ['GET'] },
  return: { type: 'http', name: '$return' },
  handler: () => ({ body: 'system' }),
});
