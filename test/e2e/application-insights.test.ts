/** What an app does, told to Application Insights: a real host, a real app and a peer that checks every envelope. */
import { dirname, join } from 'node:path';
import { type IngestionPeer, type ReceivedEnvelope, startIngestionPeer } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './app-folder.ts';
import { openAppFolder as openCommandFolder } from './command-line.ts';
import { type DevProcess, startDevProcess } from './dev-process.ts';
import { UpProcess } from './up-process.ts';

const key = '00000000-0000-4000-8000-000000000001';
const source = `import { app } from '@azure/functions';
app.http('greets', { authLevel: 'anonymous', handler: (request, context) => {
  context.warn('said hello to ' + request.query.get('name'));
  console.log('on the console');
  return { status: 201, body: context.traceContext.traceParent };
} });
app.http('fails', { authLevel: 'anonymous', handler: () => { throw new RangeError('too far'); } });
`;

/** An app with a name, in a folder of that name. */
const appFiles = (name: string) => ({
  [`${name}/host.json`]: { version: '2.0', extensions: { http: { routePrefix: '' } } },
  [`${name}/package.json`]: { name, type: 'module', main: 'src/*.js', dependencies: { '@azure/functions': '*' } },
  [`${name}/src/index.js`]: source,
});

describe('Application Insights', () => {
  let peer: IngestionPeer;
  let app: AppFolder;
  let dev: DevProcess;
  beforeEach(async () => {
    peer = await startIngestionPeer();
  });
  afterEach(async () => {
    await dev?.close();
    await app?.close();
    await peer?.close();
  });

  async function start(host: object = {}, settings?: Readonly<Record<string, string>>): Promise<void> {
    const connection = `InstrumentationKey=${key};IngestionEndpoint=${peer.url}/`;
    app = await openAppFolder({
      'src/index.js': source,
      'host.json': { version: '2.0', extensions: { http: { routePrefix: '' } }, ...host },
      'local.settings.json': {
        Values: {
          FUNCTIONS_WORKER_RUNTIME: 'node',
          ...(settings ?? { APPLICATIONINSIGHTS_CONNECTION_STRING: connection }),
        },
      },
    });
    dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite'] });
  }

  const of = (kind: string): readonly ReceivedEnvelope[] =>
    peer.envelopes.filter(({ name }) => name === `Microsoft.ApplicationInsights.${kind}`);
  const data = (kind: string) => of(kind).map((envelope) => envelope.data.baseData);
  const patience = { timeout: 15_000 };

  it('hears of requests, lines and exceptions, each in the trace that it belongs to', async () => {
    await start();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const answer = await dev.request('/greets?name=you&code=a-key', { headers });
    expect((await dev.request('/fails')).status).toBe(500);
    await expect.poll(() => of('Request').length, patience).toBe(2);

    const [greets, fails] = of('Request');
    const spanId = answer.text.split('-')[2];
    expect(greets).toMatchObject({
      iKey: key,
      tags: {
        'ai.operation.id': traceId,
        'ai.operation.parentId': '00f067aa0ba902b7',
        'ai.operation.name': 'greets',
        'ai.cloud.role': 'shop',
      },
      data: {
        baseData: {
          id: spanId,
          name: 'greets',
          success: true,
          responseCode: '201',
          url: expect.stringMatching(/\/greets\?name=you&code=\*\*\*$/),
          properties: {
            Category: 'Host.Results',
            HttpMethod: 'GET',
            HttpPath: '/greets',
            FullName: 'Functions.greets',
          },
        },
      },
    });
    expect(fails?.data.baseData).toMatchObject({ name: 'fails', success: false, responseCode: '500' });

    const told = ['on the console', 'said hello to you'];
    const isTold = (text: string): boolean => data('Message').some(({ message }) => message === text);
    await expect.poll(() => told.filter(isTold), patience).toEqual(told);
    const line = of('Message').find((one) => one.data.baseData.message === 'said hello to you');
    expect(line).toMatchObject({
      tags: { 'ai.operation.id': traceId, 'ai.operation.parentId': spanId },
      data: { baseData: { severityLevel: 2, properties: { Category: 'Function.greets.User', LogLevel: 'Warning' } } },
    });
    const executing = of('Message').filter(({ tags }) => tags['ai.operation.id'] === traceId);
    expect(executing.map((one) => one.data.baseData.message)).toContainEqual(
      expect.stringMatching(/^Executing 'Functions\.greets' \(Reason='This function was programmatically/),
    );
    expect(data('Exception')).toContainEqual(
      expect.objectContaining({
        exceptions: [expect.objectContaining({ message: expect.stringContaining('too far') })],
        severityLevel: 3,
      }),
    );
    expect(peer.problems).toEqual([]);
    expect(dev.output).not.toContain(key);
  });

  it('hears what runs were, added up, as often as host.json says', async () => {
    await start({ aggregator: { flushTimeout: '00:00:01' } });
    for (let call = 0; call < 3; call += 1) await dev.request('/greets');
    await dev.request('/fails');
    const valuesOf = (name: string): number[] =>
      data('Metric')
        .flatMap(({ metrics }) => metrics as { name: string; value: number }[])
        .filter((metric) => metric.name === name)
        .map(({ value }) => value);
    // Runs that are further apart than the second are told of in several sums.
    const sumOf = (name: string): number => valuesOf(name).reduce((sum, value) => sum + value, 0);
    await expect.poll(() => [sumOf('fails Failures'), sumOf('greets Count')], patience).toEqual([1, 3]);
    expect([sumOf('greets Successes'), ...new Set(valuesOf('greets SuccessRate'))]).toEqual([3, 100]);
    expect(sumOf('greets MaxDurationMs')).toBeGreaterThanOrEqual(sumOf('greets MinDurationMs'));
    expect(peer.problems).toEqual([]);
  });

  it('gets what host.json wants sent, and what was left when the host stops', async () => {
    await start({
      logging: {
        logLevel: { default: 'Warning' },
        applicationInsights: {
          logLevel: { 'Host.Results': 'Information' },
          samplingSettings: {
            isEnabled: true,
            initialSamplingPercentage: 0,
            minSamplingPercentage: 0,
            excludedTypes: 'Request',
          },
        },
      },
    });
    await dev.request('/greets');
    await dev.stop();
    expect(data('Request').map(({ name }) => name)).toEqual(['greets']);
    expect([of('Message'), of('Exception')]).toEqual([[], []]);
  });

  it('costs the app nothing while the service is away, and misses nothing then', async () => {
    await start();
    peer.answerNext({ status: 503 });
    expect((await dev.request('/greets')).status).toBe(201);
    await dev.line(/Application Insights takes no telemetry for now/);
    await expect.poll(() => data('Request').map(({ name }) => name), patience).toEqual(['greets']);
    expect(peer.requests).toBeGreaterThan(1);
  });

  it('is told of once when its connection string names nobody, without the value', async () => {
    await start({}, { APPLICATIONINSIGHTS_CONNECTION_STRING: 'secret-without-a-name' });
    await dev.line(/Application Insights gets no telemetry of this app/);
    expect((await dev.request('/greets')).status).toBe(201);
    expect(dev.output).not.toContain('secret-without-a-name');
    expect(peer.requests).toBe(0);
  });
});

/** The Runtime that alone has an app. */
async function homeOf(up: UpProcess, app: string): Promise<string | undefined> {
  const { runtimes } = JSON.parse(await up.do('runtimes', '--json')) as {
    runtimes: readonly { readonly id: string; readonly applications: readonly string[] }[];
  };
  const homes = runtimes.filter(({ applications }) => applications.includes(app));
  return homes.length === 1 ? homes[0]?.id : undefined;
}

describe('Application Insights, of deployed apps', () => {
  it.each([
    ['in the process of the installation', false],
    ['on a Runtime of another process', true],
  ])('hears of the one that names it, from when it does, %s', async (_where, isElsewhere) => {
    const peer = await startIngestionPeer();
    const apps = await openCommandFolder();
    const flags = isElsewhere ? ['--max-runtimes', '2', '--region', 'south'] : [];
    const up = await UpProcess.start({ flags: ['--trusted-tenants', ...flags] });
    const north = ['--name', 'north-1', '--region', 'north', '--data-dir', join(dirname(up.dataFolder), 'north')];
    const member = isElsewhere ? await up.startMember(...north) : undefined;
    try {
      await member?.line(/has joined/);
      for (const name of ['shop', 'blog']) {
        await apps.write(appFiles(name));
        await up.do('deploy', `${apps.path}/${name}`);
        expect((await up.call(name, '/greets')).status).toBe(201);
      }
      if (isElsewhere) {
        await up.do('scale', 'set', 'shop', 'region=north');
        await expect.poll(() => homeOf(up, 'shop'), { timeout: 60_000 }).toBe('north-1');
      }
      const connection = `InstrumentationKey=${key};IngestionEndpoint=${peer.url}`;
      await up.do('settings', 'shop', 'set', `APPLICATIONINSIGHTS_CONNECTION_STRING=${connection}`);
      const roles = () => new Set(peer.envelopes.map(({ tags }) => tags['ai.cloud.role']));
      await expect
        .poll(
          async () => {
            for (const name of ['shop', 'blog']) await up.call(name, '/greets?name=you');
            return peer.envelopes.map((one) => one.data.baseData.message);
          },
          { timeout: 30_000, interval: 500 },
        )
        .toContain('said hello to you');
      expect(roles()).toEqual(new Set(['shop']));
      expect(peer.problems).toEqual([]);
      expect(up.output).not.toContain(key);
    } finally {
      await member?.close();
      await up.close();
      await apps.remove();
      await peer.close();
    }
  });
});
