import { setTimeout as pause } from 'node:timers/promises';
import { app } from '@azure/functions';

// Server-sent events: a browser reads them with `new EventSource('/api/events')`. Each one leaves as soon as it is there.
// curl --no-buffer 'localhost:7071/api/events?count=5&everyMs=500'
app.http('events', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: (request, context) => {
    const count = Number(request.query.get('count') ?? 10);
    const everyMs = Number(request.query.get('everyMs') ?? 1000);
    return {
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' },
      body: ReadableStream.from(countTo(count, everyMs, context.signal)),
    };
  },
});

/** Ends early when the caller has gone: Switchyard aborts `context.signal` then. Other hosts give no signal. */
async function* countTo(count, everyMs, signal) {
  for (let number = 1; number <= count; number += 1) {
    if (signal?.aborted) return;
    yield `id: ${number}\ndata: ${JSON.stringify({ number, time: new Date().toISOString() })}\n\n`;
    if (number < count) await pause(everyMs);
  }
}
