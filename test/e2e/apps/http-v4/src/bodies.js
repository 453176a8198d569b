import { setTimeout as pause } from 'node:timers/promises';
import { app } from '@azure/functions';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const http = (name, handler, route) =>
  app.http(name, { methods, authLevel: 'anonymous', handler, ...(route && { route }) });

/** Everything that the function sees of the request. */
http('see', async (request) => ({
  jsonBody: {
    method: request.method,
    url: request.url,
    query: [...request.query],
    params: request.params,
    headers: Object.fromEntries(request.headers),
    body: Buffer.from(await request.arrayBuffer()).toString('base64'),
  },
}));

/** How long the body is, and nothing else of it. */
http('count', async (request) => ({ jsonBody: { sizeBytes: (await request.arrayBuffer()).byteLength } }));

/** The body back as it is. */
http('mirror', async (request) => ({
  headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' },
  body: new Uint8Array(await request.arrayBuffer()),
}));

/** So many bytes at once. */
http(
  'large',
  (request) => ({
    headers: { 'content-type': 'application/octet-stream' },
    body: Buffer.alloc(Number(request.params.sizeBytes), 'x'),
  }),
  'large/{sizeBytes:int}',
);

const cancelled = [];

/** Answers late, and remembers who was not waited for. */
http(
  'slow',
  async (request, context) => {
    context.signal?.addEventListener('abort', () => cancelled.push(request.query.get('name')));
    await pause(Number(request.params.ms));
    return { body: 'slow' };
  },
  'slow/{ms:int}',
);
http('cancelled', () => ({ jsonBody: cancelled }));
