/** Custom handlers: web servers in any language that are function apps, from HTTP and a queue to the handler and back. */
import { spawnSync } from 'node:child_process';
import { type AppFolder, createAppFolder, isProcessAlive, requirePart } from '@switchyard/testkit';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, exampleApp, patienceMs, startDevProcess } from './dev-process.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';

const python = requirePart(
  'Python 3',
  spawnSync('python3', ['-c', 'import http.server'], { stdio: 'ignore' }).status === 0,
  'Install it (Debian: apt-get install python3).',
);

/** Tells what it got, and gives the body back; `/api/crash` ends it in the middle of a call. */
const handler = `
import { createServer } from 'node:http';
console.error('a note on stderr');
const server = createServer((request, response) => {
  if (request.url === '/api/crash') process.exit(3);
  if (request.url === '/api/refuse') return response.writeHead(503, { 'retry-after': '7' }).end('not now');
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    response.writeHead(207, [
      'X-Seen', request.method + ' ' + request.url + ' ' + request.headers['x-caller'] + ' ' + process.pid,
      'Set-Cookie', 'a=1; Path=/',
      'Set-Cookie', 'b=2; Partitioned',
      'Content-Type', 'application/x-bytes',
    ]);
    response.end(Buffer.concat(chunks));
  });
});
if (process.env.NEVER_LISTEN) setInterval(() => {}, 1000);
else server.listen(Number(process.env.FUNCTIONS_CUSTOMHANDLER_PORT), '127.0.0.1');
`;

let folder: AppFolder | undefined;
let dev: DevProcess | undefined;
afterEach(async () => {
  await dev?.close();
  folder?.remove();
  [dev, folder] = [undefined, undefined];
});

interface HandlerApp {
  readonly customHandler?: object;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  readonly waitsUntilReady?: boolean;
}

/** Starts an app whose handler gets HTTP requests as they are. */
async function startForwarding(app: HandlerApp = {}): Promise<DevProcess> {
  const description = { defaultExecutablePath: '%HANDLER_NODE%', arguments: ['handler.mjs'] };
  const customHandler = { description, enableForwardingHttpRequest: true, ...app.customHandler };
  const httpTrigger = { type: 'httpTrigger', direction: 'in', name: 'req', authLevel: 'anonymous', route: '{*path}' };
  folder = createAppFolder({
    'host.json': JSON.stringify({ version: '2.0', customHandler }),
    'local.settings.json': JSON.stringify({ Values: { FUNCTIONS_WORKER_RUNTIME: 'custom' } }),
    'handler.mjs': handler,
    'any/function.json': JSON.stringify({ bindings: [httpTrigger, { type: 'http', direction: 'out', name: 'res' }] }),
  });
  const { flags = [], environment = {}, waitsUntilReady = true } = app;
  dev = await startDevProcess({
    apps: [folder.path],
    flags: ['--no-azurite', ...flags],
    environment: { HANDLER_NODE: process.execPath, ...environment },
    waitsUntilReady,
  });
  return dev;
}

async function handlerPid(running: DevProcess): Promise<number> {
  const { headers } = await running.request('/api/who');
  return Number(String(headers['x-seen']).split(' ').at(-1));
}

describe('forwarding', () => {
  it('passes requests and answers on as they are', async () => {
    const running = await startForwarding();
    const body = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 7) % 256);
    const headers = { 'x-caller': 'a test', 'content-type': 'application/x-bytes' };
    const answer = await running.request('/api/deep/path?x=1&x=2&empty=', { method: 'PUT', headers, body });
    expect(answer.status).toBe(207);
    expect(answer.headers['x-seen']).toMatch(/^PUT \/api\/deep\/path\?x=1&x=2&empty= a test \d+$/);
    expect(answer.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2; Partitioned']);
    expect(answer.headers['content-type']).toBe('application/x-bytes');
    expect(answer.body.equals(Buffer.from(body))).toBe(true);
  });

  it('passes refusals on, too', async () => {
    const running = await startForwarding();
    const answer = await running.request('/api/refuse');
    expect(answer).toMatchObject({ status: 503, text: 'not now', headers: { 'retry-after': '7' } });
  });
});

describe('a handler that misbehaves', () => {
  it('is started again when it crashes; only the call that it had is lost', async () => {
    const running = await startForwarding();
    const before = await handlerPid(running);
    expect((await running.request('/api/crash')).status).toBe(500);
    const after = await handlerPid(running);
    expect(after).not.toBe(before);
    expect([isProcessAlive(before), isProcessAlive(after)]).toEqual([false, true]);
    await running.line(/The custom handler '.*' ended .*exit code 3/);
  });

  it('ends with the host', async () => {
    const running = await startForwarding();
    const pid = await handlerPid(running);
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    await expect.poll(() => isProcessAlive(pid), { timeout: patienceMs }).toBe(false);
  });

  it('is told how to listen when it never does', async () => {
    const running = await startForwarding({
      customHandler: { initializationTimeout: '00:00:01' },
      environment: { NEVER_LISTEN: '1' },
      waitsUntilReady: false,
    });
    const line = await running.line(/took no connection on 127\.0\.0\.1:\d+ within 1000 ms/);
    expect(line).toContain('FUNCTIONS_CUSTOMHANDLER_PORT');
    expect(line).toContain('initializationTimeout');
  });

  it('is named when there is no such program', async () => {
    const description = { defaultExecutablePath: 'no-such-handler' };
    const running = await startForwarding({ customHandler: { description }, waitsUntilReady: false });
    const line = await running.line(/The custom handler 'no-such-handler' did not start/);
    expect(line).toContain('customHandler.description');
  });

  it('writes errors to stderr, whatever they say', async () => {
    const running = await startForwarding({ flags: ['--json'], waitsUntilReady: false });
    const line = await running.line(/a note on stderr/);
    expect(JSON.parse(line)).toMatchObject({ level: 'error' });
  });
});

describe.skipIf(python.skip || azuritePart.skip)('the Python example', () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
  });
  afterAll(() => azurite.stop());

  it('greets, and takes an order from HTTP through a queue', async () => {
    const environment = { AzureWebJobsStorage: azurite.connectionString };
    const orders = await openQueue(azurite.connectionString, 'python-orders');
    dev = await startDevProcess({ apps: [exampleApp('custom-handler-python')], environment });
    const greeting = await dev.request('/api/hello/Ada');
    expect(greeting).toMatchObject({ status: 200, text: 'Hello, Ada!', headers: { 'x-handler': 'python' } });
    const refused = await dev.request('/api/orders', { body: 'no order' });
    expect(refused.status).toBe(400);
    const placed = await dev.request('/api/orders', { body: '{"item": "tea", "quantity": 2}' });
    expect(placed.status).toBe(202);
    expect(JSON.parse(placed.text)).toEqual({ accepted: { item: 'tea', quantity: 2 } });
    await dev.line(/delivered 2 x tea \(try 1\)/);
    await expect.poll(() => orders.size(), { timeout: patienceMs }).toBe(0);
  });

  it('tries a message that fails again, and shows why it failed', async () => {
    const environment = { AzureWebJobsStorage: azurite.connectionString };
    const maxDequeueCount = { AzureFunctionsJobHost__extensions__queues__maxDequeueCount: '2' };
    const visibility = { AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:00' };
    const orders = await openQueue(azurite.connectionString, 'python-orders');
    const poison = await openQueue(azurite.connectionString, 'python-orders-poison');
    await orders.send({ item: 'nothing', quantity: 0 });
    const apps = [exampleApp('custom-handler-python')];
    dev = await startDevProcess({ apps, environment: { ...environment, ...maxDequeueCount, ...visibility } });
    expect(await poison.take(1)).toEqual([{ item: 'nothing', quantity: 0 }]);
    await dev.line(/ValueError: cannot deliver 0 of nothing/);
  });
});
