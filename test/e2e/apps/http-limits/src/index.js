import { existsSync } from 'node:fs';
import { app } from '@azure/functions';

let running = 0;
let most = 0;
const waiting = [];

/** Runs until `release` is called. */
app.http('hold', {
  methods: ['GET'],
  authLevel: 'anonymous',
  handler: async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => waiting.push(resolve));
    running -= 1;
    return { headers: { 'x-own': 'from the function' }, jsonBody: { most } };
  },
});

// Not over HTTP: the requests that wait would keep it from running. Nobody goes before the file `GATE` is there.
app.timer('release', {
  schedule: '*/1 * * * * *',
  handler: () => {
    if (existsSync(process.env.GATE ?? '')) waiting.shift()?.();
  },
});
