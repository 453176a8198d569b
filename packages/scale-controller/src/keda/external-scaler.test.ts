/** The external scaler over real sockets, asked by an independent client with an independent codec. */
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '@switchyard/kernel';
import { createMemoryLinkPair, createRpcServer, externalScaler, type RpcServer } from '@switchyard/protocol';
import { VirtualClock } from '@switchyard/testkit';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedRuntime } from '../testing/simulated-runtime.ts';
import { createExternalScaler } from './external-scaler.ts';

const proto = new URL('../../../protocol/proto/external-scaler.proto', import.meta.url);
const { root } = protobuf.parse(readFileSync(proto, 'utf8'), { keepCase: true });

interface Reference {
  readonly name: string;
  readonly namespace: string;
  readonly scalerMetadata: Readonly<Record<string, string>>;
}

const reference = (scalerMetadata: Reference['scalerMetadata'] = {}): Reference => ({
  name: 'runtimes',
  namespace: 'default',
  scalerMetadata,
});

let server: RpcServer;
let client: grpc.Client;
let runtime: SimulatedRuntime;
beforeEach(async () => {
  runtime = new SimulatedRuntime(new VirtualClock());
  server = createRpcServer(
    { clock: systemClock },
    { methods: createExternalScaler({ clock: systemClock, runtimes: () => [runtime] }) },
  );
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 });
  client = new grpc.Client(`${host}:${port}`, grpc.credentials.createInsecure());
});
afterEach(async () => {
  client.close();
  await server.close(0);
});

const encode = (type: string) => (value: object) => {
  const found = root.lookupType(`externalscaler.${type}`);
  return Buffer.from(found.encode(found.fromObject(value)).finish());
};

const decode = (type: string) => (bytes: Buffer) =>
  root.lookupType(`externalscaler.${type}`).toObject(root.lookupType(`externalscaler.${type}`).decode(bytes), {
    longs: Number,
    defaults: true,
  });

function call(method: string, input: string, output: string, request: object): Promise<object> {
  return new Promise((resolve, reject) => {
    const path = `/externalscaler.ExternalScaler/${method}`;
    client.makeUnaryRequest(path, encode(input), decode(output), request, (error, answer) => {
      if (error !== null) reject(error);
      else resolve(answer ?? {});
    });
  });
}

const isActive = (given = reference()) => call('IsActive', 'ScaledObjectRef', 'IsActiveResponse', given);

const metrics = (given = reference(), metricName = 'switchyard-workers') =>
  call('GetMetrics', 'GetMetricsRequest', 'GetMetricsResponse', { scaledObjectRef: given, metricName });

describe('createExternalScaler', () => {
  it('I1: tells the workers that all apps want, or one of them, and how many a Runtime takes', async () => {
    runtime.add('shop').wanted = 30;
    runtime.add('blog').wanted = 7;
    expect(await metrics()).toEqual({
      metricValues: [{ metricName: 'switchyard-workers', metricValue: 37, metricValueFloat: 37 }],
    });
    expect(await metrics(reference({ app: 'blog' }))).toMatchObject({ metricValues: [{ metricValueFloat: 7 }] });
    const spec = (given: Reference) => call('GetMetricSpec', 'ScaledObjectRef', 'GetMetricSpecResponse', given);
    expect(await spec(reference())).toEqual({
      metricSpecs: [{ metricName: 'switchyard-workers', targetSize: 20, targetSizeFloat: 20 }],
    });
    expect(await spec(reference({ workersPerRuntime: '8', scalerAddress: 'scale:9000' }))).toMatchObject({
      metricSpecs: [{ targetSizeFloat: 8 }],
    });
  });

  it('is active while somebody wants a worker, or waits for one', async () => {
    const shop = runtime.add('shop');
    expect(await isActive()).toEqual({ result: false });
    shop.wanted = 1;
    expect(await isActive()).toEqual({ result: true });
    shop.wanted = 0;
    shop.active = 3;
    expect(await isActive()).toEqual({ result: true });
    expect(await isActive(reference({ app: 'blog' }))).toEqual({ result: false });
  });

  it.each([
    [{ workersPerRuntime: '0' }, 'workersPerRuntime must be'],
    [{ workersPerRuntime: 'many' }, "not 'many'"],
    [{ app: 'No App' }, "'No App' is no name of an app"],
    [{ speed: 'high' }, "'speed' is not known"],
    [{ __proto__x: '1' }, 'is not known'],
  ])('I2: refuses %j', async (metadata, message) => {
    const given = reference(metadata as Readonly<Record<string, string>>);
    await expect(isActive(given)).rejects.toMatchObject({
      code: grpc.status.INVALID_ARGUMENT,
      details: expect.stringContaining(message),
    });
    await expect(metrics(given)).rejects.toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
  });

  it('I2: refuses a metric of another name', async () => {
    await expect(metrics(reference(), 'rps')).rejects.toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
  });

  it('I3: a stream says what holds, then every change, and leaves nothing behind', async () => {
    const clock = new VirtualClock();
    const shop = runtime.add('shop');
    const method = createExternalScaler({ clock, runtimes: () => [runtime] })[
      '/externalscaler.ExternalScaler/StreamIsActive'
    ];
    if (method?.kind !== 'stream') throw new Error('it is no stream');
    const { opener, acceptor } = createMemoryLinkPair();
    const heard: boolean[] = [];
    opener.receive({ frame: (bytes) => void heard.push(externalScaler.IsActiveResponse.decode(bytes).result) });
    method.open(acceptor);
    opener.send(externalScaler.ScaledObjectRef.encode({ name: '', namespace: '', scalerMetadata: new Map() }).finish());
    await clock.advance(5_000);
    expect(heard).toEqual([false]);
    shop.wanted = 2;
    await clock.advance(5_000);
    shop.wanted = 0;
    await clock.advance(5_000);
    expect(heard).toEqual([false, true, false]);
    opener.cancel({ code: 1, message: 'gone' });
    await clock.advance(5_000);
    expect(clock.pendingTimers).toBe(0);
  });
});
