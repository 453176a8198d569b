/** Traces from the caller through the Runtime into the worker, metrics for Prometheus, and lines that are not lost. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAppFolder } from './app-folder.ts';
import { type DevProcess, startDevProcess } from './dev-process.ts';

const source = `import { app } from '@azure/functions';
const anonymous = { authLevel: 'anonymous', methods: ['GET'] };
app.http('traced', { ...anonymous, handler: (_request, context) => ({ jsonBody: context.traceContext }) });
app.http('talks', { ...anonymous, handler: (request, context) => {
  for (let line = 0; line < Number(request.query.get('lines')); line += 1) context.log('line ' + line + ' of it');
  return { body: 'said' };
} });
app.http('dies', { ...anonymous, handler: (_request, context) => {
  for (let line = 0; line < 500; line += 1) console.log('last word ' + line);
  process.stdout.write('', () => process.exit(1));
  return new Promise(() => {});
} });
`;

interface Received {
  readonly path: string;
  readonly body: string;
}

describe('telemetry', () => {
  let collector: Server;
  let received: Received[];
  let app: Awaited<ReturnType<typeof openAppFolder>>;
  let dev: DevProcess;
  beforeEach(async () => {
    received = [];
    collector = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        received.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString('utf8') });
        response.end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    app = await openAppFolder({ 'src/index.js': source });
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_SERVICE_NAME: 'shop' };
    dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite'], environment });
  });
  afterEach(async () => {
    await dev?.close();
    await app?.close();
    collector.closeAllConnections();
    collector.close();
  });

  it('links the span of an invocation with the caller’s and the worker’s', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const seen = JSON.parse((await dev.request('/traced', { headers: { traceparent } })).text);
    await expect.poll(() => received.find(({ path }) => path === '/v1/traces')?.body).toBeDefined();
    const [resource] = JSON.parse(received.find(({ path }) => path === '/v1/traces')?.body ?? '').resourceSpans;
    expect(resource.resource.attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'shop' } });
    const [span] = resource.scopeSpans[0].spans;
    expect(span).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7', name: 'traced', kind: 2 });
    expect(seen.traceParent).toBe(`00-${traceId}-${span.spanId}-01`);
  });

  it('goes to the collector that an app names in its settings, in the mode OpenTelemetry', async () => {
    await dev.close();
    received.length = 0;
    const { port } = collector.address() as AddressInfo;
    const OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${port}`;
    await app.write({
      'host.json': { version: '2.0', telemetryMode: 'OpenTelemetry', extensions: { http: { routePrefix: '' } } },
      'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node', OTEL_EXPORTER_OTLP_ENDPOINT } },
    });
    dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite'] });
    await dev.request('/traced');
    await expect
      .poll(() => received.find(({ path }) => path === '/v1/traces')?.body, { timeout: 10_000 })
      .toContain('"traced"');
  });

  it('counts invocations for Prometheus', async () => {
    await dev.request('/traced');
    const answer = await dev.request('/runtime/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.text).toMatch(
      /^switchyard_invocations_completed_total\{.*function="traced".*outcome="succeeded"\} 1$/m,
    );
  });

  it('attributes every line that a function logs to it', async () => {
    await dev.request('/talks?lines=300');
    const lines = await dev.matching(/line \d+ of it \[talks /, 300);
    expect(new Set(lines.map((line) => /line (\d+)/.exec(line)?.[1])).size).toBe(300);
  });

  it('loses no line of a worker that ends in the middle of a call', async () => {
    expect((await dev.request('/dies')).status).toBe(500);
    const lines = await dev.matching(/last word \d+/, 500);
    expect(lines.map((line) => Number(/last word (\d+)/.exec(line)?.[1]))).toEqual(
      Array.from({ length: 500 }, (_, line) => line),
    );
  });
});
