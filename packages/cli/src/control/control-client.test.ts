import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDeferred, Secret, systemRandom } from '@switchyard/kernel';
import { VirtualClock } from '@switchyard/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { sampleApp } from '../testing/control-samples.ts';
import {
  answer,
  CutConnection,
  openScriptedControl,
  problem,
  type ScriptedControl,
  untilClosed,
} from '../testing/scripted-control.ts';
import { createControlClient } from './control-client.ts';
import { ConnectionLost } from './event-connection.ts';
import { controlLimits } from './limits.ts';

let server: ScriptedControl | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const signal = new AbortController().signal;
const path = { app: 'shop' };

async function open(script: Parameters<typeof openScriptedControl>[0]) {
  server = await openScriptedControl(script);
  return connect(server.endpoint, server.token);
}

function connect(endpoint: string, token = 'token') {
  const clock = new VirtualClock();
  const found = { url: new URL(endpoint), token: new Secret(token) };
  return { clock, client: createControlClient({ clock, random: systemRandom }, found) };
}

const app = sampleApp();

describe('createControlClient', () => {
  it('asks and understands', async () => {
    const { client } = await open({ getApplication: () => answer(app) });
    expect(await client.call('getApplication', { path, signal })).toEqual(app);
    expect(server?.requests).toMatchObject([{ id: 'getApplication', parameters: { app: 'shop' } }]);
  });

  it('sends queries, without what is undefined, and bodies', async () => {
    const { client } = await open({
      listApplications: () => answer({ applications: [] }),
      rollBack: () => problem(409, 'NOTHING_BEFORE', 'There is nothing before.'),
    });
    await client.call('listApplications', { path: {}, query: { tenant: undefined, after: 'b', limit: 3 }, signal });
    await expect(client.call('rollBack', { path, body: { revision: 3 }, signal })).rejects.toThrow('nothing before');
    expect(server?.requests).toMatchObject([{ query: { after: 'b', limit: '3' } }, { body: { revision: 3 } }]);
  });

  it.each([
    [404, 'CONTROL_REFUSED', 2],
    [409, 'CONTROL_REFUSED', 2],
    [401, 'CONTROL_DENIED', 1],
    [403, 'CONTROL_DENIED', 1],
    [429, 'CONTROL_FAILED', 1],
    [500, 'CONTROL_FAILED', 1],
    [503, 'CONTROL_FAILED', 1],
  ])('turns a problem of status %d into %s', async (status, code, exit) => {
    const { client } = await open({ getApplication: () => problem(status, 'X', 'It is so.', 'Do that.') });
    await expect(client.call('getApplication', { path, signal })).rejects.toMatchObject({
      code,
      message: 'It is so. Do that.',
      definition: { exit },
      details: { status, problem: 'X' },
    });
  });

  it.each([
    [{ kind: 'raw', status: 200, type: 'text/html', text: '<html>' }, 'it is not JSON'],
    [{ kind: 'raw', status: 200, type: 'application/json', text: '{"applicationId": 7}' }, 'applicationId: '],
    [{ kind: 'raw', status: 502, type: 'text/html', text: 'Bad Gateway' }, 'it has status 502 and does not say why'],
    [{ kind: 'raw', status: 302, type: 'text/html', text: '' }, 'it has status 302'],
  ] as const)('does not believe %j', async (raw, reason) => {
    const { client } = await open({ getApplication: () => raw });
    const failure = client.call('getApplication', { path, signal });
    await expect(failure).rejects.toMatchObject({ code: 'CONTROL_ANSWER_UNEXPECTED' });
    await expect(failure).rejects.toThrow(`answers to GET /v1/apps/shop is not understood: ${reason}`);
  });

  it('says how to start the platform when nothing listens', async () => {
    server = await openScriptedControl({});
    const { client } = connect(server.endpoint);
    await server.close();
    await expect(client.call('getApplication', { path, signal })).rejects.toThrow(
      'the connection was refused. Start it with: switchyard up.',
    );
    server = undefined;
  });

  it('waits for an answer only so long', async () => {
    const { client, clock } = await open({
      getApplication: async (request) => {
        await untilClosed(request);
        return answer(app);
      },
    });
    const asked = client.call('getApplication', { path, signal });
    const failure = expect(asked).rejects.toThrow('has not answered GET /v1/apps/shop within 60 s');
    await expect.poll(() => server?.requests.length).toBe(1);
    await clock.advance(controlLimits.answerMs);
    await failure;
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends with the reason of its signal', async () => {
    const { client, clock } = await open({
      getApplication: async (request) => {
        await untilClosed(request);
        return answer(app);
      },
    });
    const stop = new AbortController();
    const asked = client.call('getApplication', { path, signal: stop.signal });
    const failure = expect(asked).rejects.toThrow('enough');
    await expect.poll(() => server?.requests.length).toBe(1);
    stop.abort(new Error('enough'));
    await failure;
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('events of the control API', () => {
  const frame = (id: string) => ({
    name: 'frame' as const,
    data: {
      at: '2026-11-21T08:00:00.000Z',
      workerId: 'w',
      direction: 'toWorker' as const,
      type: 't',
      id,
      sizeBytes: 1,
    },
  });

  async function collect(events: AsyncIterable<{ name: string; data: unknown }>) {
    const names: unknown[] = [];
    try {
      for await (const { data } of events) names.push((data as { id: string }).id);
      return { names, failure: undefined };
    } catch (failure) {
      return { names, failure };
    }
  }

  it('come one by one until the stream ends', async () => {
    const { client, clock } = await open({
      traceApplication: () => ({ kind: 'events', events: [frame('1'), frame('2')] }),
    });
    expect(await collect(client.events('traceApplication', { path, signal }))).toEqual({
      names: ['1', '2'],
      failure: undefined,
    });
    expect(clock.pendingTimers).toBe(0);
  });

  it('break off as a lost connection', async () => {
    // What has arrived and was not read yet goes under with a connection: it is cut once the event was read.
    const read = createDeferred<void>();
    const events = async function* () {
      yield frame('1');
      await read.promise;
      throw new CutConnection();
    };
    const { client } = await open({ traceApplication: () => ({ kind: 'events', events: events() }) });
    const iterator = client.events('traceApplication', { path, signal })[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { data: { id: '1' } } });
    read.resolve();
    await expect(iterator.next()).rejects.toBeInstanceOf(ConnectionLost);
  });

  it('are lost when nothing comes for too long, signs of life included', async () => {
    const { client, clock } = await open({
      traceApplication: (request) => ({
        kind: 'events',
        events: (async function* () {
          yield frame('1');
          await untilClosed(request);
        })(),
      }),
    });
    const iterator = client.events('traceApplication', { path, signal })[Symbol.asyncIterator]();
    expect(await iterator.next()).toMatchObject({ value: { name: 'frame' } });
    const next = iterator.next();
    const failure = expect(next).rejects.toThrow('nothing came for 60 s');
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(controlLimits.silenceMs);
    await failure;
  });

  it('close their connection when nobody reads any more', async () => {
    let closed = false;
    const { client } = await open({
      traceApplication: (request) => ({
        kind: 'events',
        events: (async function* () {
          yield frame('1');
          await untilClosed(request);
          closed = true;
        })(),
      }),
    });
    for await (const _event of client.events('traceApplication', { path, signal })) break;
    await expect.poll(() => closed).toBe(true);
  });

  it('are understood, or named', async () => {
    const text = 'event: later\ndata: {"of": "another version"}\n\nevent: frame\ndata: {"at": 7}\n\n';
    const { client } = await open({
      traceApplication: () => ({ kind: 'raw', status: 200, type: 'text/event-stream', text }),
    });
    const { failure } = await collect(client.events('traceApplication', { path, signal }));
    expect(failure).toMatchObject({ code: 'CONTROL_ANSWER_UNEXPECTED', message: expect.stringContaining('at: ') });
  });

  it.each([
    [{ kind: 'raw', status: 200, type: 'text/html', text: '<html>' } as const, 'it is no stream of events'],
    [
      { kind: 'raw', status: 200, type: 'text/event-stream', text: 'event: frame\ndata: {\n\n' } as const,
      'is not understood',
    ],
    [problem(404, 'APP_UNKNOWN', 'There is no such app.'), 'There is no such app.'],
  ])('are refused when they are %j', async (scripted, message) => {
    const { client } = await open({ traceApplication: () => scripted });
    const { failure } = await collect(client.events('traceApplication', { path, signal }));
    expect((failure as Error).message).toContain(message);
  });
});

describe('a server that breaks its answers', () => {
  let raw: Server | undefined;
  afterEach(() => new Promise((resolve) => (raw === undefined ? resolve(undefined) : raw.close(resolve))));

  it('is told from one that answers', async () => {
    raw = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"applicationId"', () => response.destroy());
    });
    await new Promise<void>((resolve) => raw?.listen(0, '127.0.0.1', resolve));
    const { client } = connect(`http://127.0.0.1:${(raw.address() as AddressInfo).port}`);
    await expect(client.call('getApplication', { path, signal })).rejects.toMatchObject({
      code: 'CONTROL_UNREACHABLE',
    });
  });
});
