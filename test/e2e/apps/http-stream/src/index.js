import { setTimeout as pause } from 'node:timers/promises';
import { app } from '@azure/functions';

app.setup({ enableHttpStream: true });

const anonymous = { authLevel: 'anonymous', methods: ['GET', 'HEAD', 'POST', 'PUT'] };

/** A stream of texts; a function among them is called when its turn comes. */
async function* texts(...parts) {
  for (const part of parts) yield typeof part === 'function' ? Buffer.from((await part()) ?? '') : Buffer.from(part);
}

/** Tells what the function sees of the request, without its body. */
app.http('see', {
  ...anonymous,
  route: 'see/{id?}',
  handler: (request) => ({
    status: 201,
    headers: { 'x-method': request.method, 'x-own': 'from the function' },
    jsonBody: {
      url: request.url,
      params: request.params,
      query: [...request.query],
      headers: [...request.headers],
    },
    cookies: [
      { name: 'a', value: '1' },
      { name: 'b', value: '2', path: '/b', httpOnly: true },
    ],
  }),
});

/** Turns each part of the body into capitals and sends it back at once. */
app.http('capitals', {
  ...anonymous,
  handler: (request) => ({
    body: ReadableStream.from(
      (async function* () {
        for await (const part of request.body ?? []) yield Buffer.from(Buffer.from(part).toString().toUpperCase());
      })(),
    ),
  }),
});

/** Fails before it answers. */
app.http('fail', {
  ...anonymous,
  handler: () => {
    throw new Error('failed before the head');
  },
});

/** Fails in the middle of its answer. */
app.http('breakOff', {
  ...anonymous,
  handler: () => ({
    body: ReadableStream.from(
      texts('the first half', async () => {
        await pause(100);
        throw new Error('failed after the head');
      }),
    ),
  }),
});

/** Ends its worker: at once, or in the middle of its answer. */
app.http('die', {
  ...anonymous,
  route: 'die/{when}',
  handler: async (request) => {
    if (request.params.when === 'atOnce') process.exit(7);
    return {
      body: ReadableStream.from(
        texts('the first half', async () => {
          await pause(100);
          process.exit(7);
        }),
      ),
    };
  },
});

/** Answers without a look at the body. */
app.http('early', { ...anonymous, handler: () => ({ status: 413, body: 'too much' }) });

/** Answers with any status. */
app.http('status', {
  ...anonymous,
  route: 'status/{code:int}',
  handler: (request) => ({
    status: Number(request.params.code),
    headers: { 'x-status': request.params.code, ...(request.method === 'HEAD' ? { 'content-length': '12' } : {}) },
    ...(request.method === 'HEAD' ? {} : { body: 'twelve bytes' }),
  }),
});

const gone = [];

/** Streams for ever, and remembers who went away. */
app.http('endless', {
  ...anonymous,
  handler: (_request, context) => {
    context.signal?.addEventListener('abort', () => gone.push('endless'));
    return {
      body: ReadableStream.from(
        (async function* () {
          while (!context.signal?.aborted) {
            yield Buffer.from('more\n');
            await pause(20);
          }
        })(),
      ),
    };
  },
});

/** Reads the body to its end, and remembers a body that broke off. */
app.http('swallow', {
  ...anonymous,
  handler: async (request) => {
    let sizeBytes = 0;
    try {
      for await (const part of request.body ?? []) sizeBytes += part.byteLength;
    } catch (error) {
      gone.push(`swallow: ${error.message}`);
      throw error;
    }
    return { jsonBody: { sizeBytes } };
  },
});

app.http('gone', { ...anonymous, handler: () => ({ jsonBody: gone }) });

/** Takes its time, and answers with a small stream. */
app.http('slow', {
  ...anonymous,
  route: 'slow/{ms:int}',
  handler: async (request) => {
    await pause(Number(request.params.ms));
    return { body: 'slow' };
  },
});

let partsMade = 0;

/** As large as the caller wants, in parts that are made for it. */
app.http('large', {
  ...anonymous,
  route: 'large/{megabytes:int}',
  handler: (request) => ({
    body: ReadableStream.from(
      (async function* () {
        for (let sent = 0; sent < Number(request.params.megabytes) * 16; sent += 1) {
          yield Buffer.alloc(65_536, sent % 256);
          partsMade += 1;
          await new Promise((resolve) => setImmediate(resolve));
        }
      })(),
    ),
  }),
});

app.http('partsMade', { ...anonymous, handler: () => ({ body: String(partsMade) }) });

/** Not HTTP: its payload comes as ever. */
app.timer('tick', {
  schedule: '0 0 0 1 1 *',
  runOnStartup: true,
  handler: (timer, context) => context.log(`ticked, past due: ${timer.isPastDue}`),
});

/** Has no answer. */
app.http('silent', { ...anonymous, handler: () => {} });

const tries = new Map();

/** Fails twice, and then gives back what it was sent. */
app.http('thirdTime', {
  ...anonymous,
  route: 'thirdTime/{key}',
  retry: { strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: { milliseconds: 100 } },
  handler: async (request) => {
    const { key } = request.params;
    const body = await request.text();
    tries.set(key, (tries.get(key) ?? 0) + 1);
    if (tries.get(key) < 3) throw new Error('not yet');
    return { jsonBody: { body, tries: tries.get(key) } };
  },
});

app.http('pid', { ...anonymous, handler: () => ({ body: String(process.pid) }) });
