/** A worker that dials `switchyard runtime` itself: it brings its app along, and comes back by itself. */
import { Secret, systemClock } from '@switchyard/kernel';
import {
  contextProperty,
  createRpcChannel,
  type Link,
  type RpcChannel,
  StreamingMessage,
  toBearerMetadata,
  toContextProperties,
} from '@switchyard/protocol';
import { createFakeWorker, invocationSuccess } from '@switchyard/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Installation, type RuntimeHost } from './decoupled-processes.ts';

const application = { applicationId: 'shop', metadataVersion: '1.0.0', codeVersion: '1.0.0' };
const app = { applicationId: 'shop', tenantId: 'contoso', scriptRoot: '/nowhere' };

let installation: Installation;
const channels: RpcChannel[] = [];

beforeEach(async () => {
  installation = await Installation.open();
});
afterEach(async () => {
  await Promise.all(channels.splice(0).map((channel) => channel.close(0)));
  await installation.close();
});

/** A link whose first frame, StartStream, says who the worker is. */
function withContext(link: Link, epoch: number): Link {
  let isFirst = true;
  const start = (frame: Uint8Array): Uint8Array => {
    isFirst = false;
    const { requestId, content } = StreamingMessage.decode(frame);
    if (content?.$case !== 'startStream') return frame;
    const { tenantId } = app;
    const context = {
      workerId: 'w1',
      language: 'node',
      languageVersion: '',
      instanceId: 'here',
      application,
      tenantId,
      epoch,
    };
    const properties = toContextProperties(context).set(contextProperty.announcesApp, 'true');
    const value = { ...content.value, properties };
    return StreamingMessage.encode({ requestId, content: { $case: 'startStream', value } }).finish();
  };
  return {
    peer: link.peer,
    metadata: link.metadata,
    bufferedBytes: 0,
    closed: link.closed,
    send: (frame) => link.send(isFirst ? start(frame) : frame),
    drained: () => link.drained(),
    receive: (receiver) => link.receive(receiver),
    pause: () => link.pause(),
    resume: () => link.resume(),
    end: (status) => link.end(status),
    cancel: (status) => link.cancel(status),
  };
}

/** Dials, and announces the app as soon as it is initialized. */
async function dial(runtime: RuntimeHost, epoch: number, answer: string) {
  const channel = createRpcChannel({ clock: systemClock }, { endpoint: runtime.rpcUrl });
  channels.push(channel);
  const token = new Secret(await installation.tokenFor('w1', app));
  const link = channel.eventStream({ metadata: toBearerMetadata(token) });
  const returnValue = { data: { $case: 'string', value: answer } } as const;
  const worker = createFakeWorker(withContext(link, epoch), {
    workerId: 'w1',
    functions: [{ name: 'hello' }],
    onInvocation: () => invocationSuccess({ returnValue }),
  });
  await worker.first('workerInitRequest');
  // Its answer has left by then.
  await new Promise((resolve) => setImmediate(resolve));
  worker.send({
    $case: 'workerSpecialized',
    value: {
      ...application,
      appSettings: new Map([['SWITCHYARD_HOST_JSON', '{"version":"2.0","extensions":{"http":{"routePrefix":"own"}}}']]),
      connectionStrings: new Map(),
      functionsPath: app.scriptRoot,
      workerId: 'w1',
      language: 'node',
      languageVersion: '',
      correlationId: `c-${epoch}`,
    },
  });
  await worker.first('workerSpecializedNotification');
  return { link, worker };
}

it('serves its app under its own token, and again after it or its Runtime was away', async () => {
  const runtime = await installation.startRuntime();
  const first = await dial(runtime, 1, 'first');
  expect(await runtime.call('shop', '/own/hello')).toMatchObject({ status: 200, text: 'first' });
  first.worker.crash();
  await dial(runtime, 2, 'second');
  expect((await runtime.call('shop', '/own/hello')).text).toBe('second');
  await runtime.kill();
  const next = await installation.startRuntime({ after: runtime });
  await dial(next, 3, 'third');
  expect((await next.call('shop', '/own/hello')).text).toBe('third');
});

it('is told when it comes with a number that was there before', async () => {
  const runtime = await installation.startRuntime();
  const { link } = await dial(runtime, 5, 'first');
  const late = createRpcChannel({ clock: systemClock }, { endpoint: runtime.rpcUrl });
  channels.push(late);
  const token = new Secret(await installation.tokenFor('w1', app));
  const stale = late.eventStream({ metadata: toBearerMetadata(token) });
  createFakeWorker(withContext(stale, 4), { workerId: 'w1', functions: [{ name: 'hello' }] });
  expect(await stale.closed).toMatchObject({ code: 10, message: expect.stringContaining('epoch 4') });
  expect((await runtime.call('shop', '/own/hello')).text).toBe('first');
  link.end();
});
