/** The example apps as a newcomer meets them: all of them on one port. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';

const apps = ['hello-javascript', 'hello-typescript', 'hello-v3'];

describe('the example apps', () => {
  let dev: DevProcess;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: apps.map(exampleApp), flags: ['--no-azurite'] });
  });
  afterAll(() => dev.close());

  it.each(apps)('%s greets', async (app) => {
    const answer = await dev.request('/api/hello/Ada', { app });
    expect(answer).toMatchObject({ status: 200, text: 'Hello, Ada!' });
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
  });

  it.each(apps)('%s fills what the caller leaves out', async (app) => {
    expect((await dev.request('/api/hello', { app })).text).toBe('Hello, world!');
    expect((await dev.request('/api/hello?name=Grace%20Hopper', { app })).text).toBe('Hello, Grace Hopper!');
  });

  it('passes route parameters with constraints, and JSON both ways', async () => {
    const app = 'hello-javascript';
    const good = await dev.request('/api/sum/10', { app, body: '{"add": [1, 2.5]}' });
    expect(JSON.parse(good.text)).toEqual({ sum: 13.5 });
    expect(good.headers['content-type']).toBe('application/json');
    expect((await dev.request('/api/sum/10', { app, body: '{"add": "much"}' })).status).toBe(400);
    expect((await dev.request('/api/sum/ten', { app, body: '{"add": [1]}' })).status).toBe(404);
    const converted = await dev.request('/api/convert/212?from=fahrenheit', { app: 'hello-typescript' });
    expect(JSON.parse(converted.text)).toEqual({ scale: 'celsius', degrees: 100 });
  });

  it('passes bytes both ways unchanged', async () => {
    const body = Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256);
    const answer = await dev.request('/api/reverse', { app: 'hello-javascript', body });
    expect(answer.headers['content-type']).toBe('application/octet-stream');
    expect(answer.body.equals(Buffer.from(body).reverse())).toBe(true);
  });

  it('runs the entry point that function.json names, with its JSON body and headers', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await dev.request('/api/shout', { app: 'hello-v3', headers, body: '{"text": "hi"}' });
    expect(answer.headers['x-exclamations']).toBe('1');
    expect(JSON.parse(answer.text)).toEqual({ text: 'HI' });
  });

  it('answers 404 for an unknown path and for a wrong method', async () => {
    expect((await dev.request('/api/nothing', { app: 'hello-v3' })).status).toBe(404);
    expect((await dev.request('/api/hello/Ada', { app: 'hello-v3', method: 'DELETE' })).status).toBe(404);
  });

  it('tells the host names when none of the apps is meant', async () => {
    const answer = await dev.request('/api/hello', { app: 'nobody' });
    expect(answer.status).toBe(404);
    for (const app of apps) expect(answer.text).toContain(`${app}.localhost`);
  });

  it('lists every function with the URL that reaches it', async () => {
    const port = await dev.port();
    expect(dev.lines).toContain('Functions of hello-typescript:');
    expect(dev.lines).toContain(`\thello: [GET] http://hello-v3.localhost:${port}/api/hello/{name?}`);
    expect(dev.lines).toContain(`\tsum: [POST] http://hello-javascript.localhost:${port}/api/sum/{start:int}`);
    expect(dev.lines).toContain('\theartbeat: timerTrigger');
    expect(dev.lines).toContain('\tprocessOrder: queueTrigger');
  });
});
