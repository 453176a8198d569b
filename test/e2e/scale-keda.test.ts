/** KEDA's questions to a real installation, asked by an independent client with an independent codec. */
import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { UpProcess } from './up-process.ts';

const proto = new URL('../../packages/protocol/proto/external-scaler.proto', import.meta.url);
const { root } = protobuf.parse(readFileSync(proto, 'utf8'), { keepCase: true });
const files = {
  'shop/host.json': { version: '2.0' },
  'shop/package.json': { name: 'shop', type: 'module', main: 'work.js', dependencies: { '@azure/functions': '*' } },
  'shop/work.js': httpFunction('work', '"hello"'),
};
const patience = { timeout: 40_000, interval: 250 } as const;
const reference = { name: 'runtimes', namespace: 'default', scalerMetadata: { workersPerRuntime: '8' } };

const encode = (type: string) => (value: object) => {
  const found = root.lookupType(`externalscaler.${type}`);
  return Buffer.from(found.encode(found.fromObject(value)).finish());
};

const decode = (type: string) => (bytes: Buffer) => {
  const found = root.lookupType(`externalscaler.${type}`);
  return found.toObject(found.decode(bytes), { longs: Number, defaults: true });
};

describe('switchyard up --scaler-port', () => {
  let apps: AppFolder;
  let up: UpProcess;
  let client: grpc.Client;
  beforeAll(async () => {
    apps = await openAppFolder();
    up = await UpProcess.start({ flags: ['--scaler-port', '0', '--idle-seconds', '2'] });
    const address = /KEDA +(127\.0\.0\.1:\d+)/.exec(up.output)?.[1] ?? '';
    client = new grpc.Client(address, grpc.credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    await up.close();
    await apps.remove();
  });

  const ask = (method: string, input: string, output: string, request: object): Promise<object> =>
    new Promise((resolve, reject) => {
      const path = `/externalscaler.ExternalScaler/${method}`;
      client.makeUnaryRequest(path, encode(input), decode(output), request, (error, answer) => {
        if (error !== null) reject(error);
        else resolve(answer ?? {});
      });
    });
  const isActive = () => ask('IsActive', 'ScaledObjectRef', 'IsActiveResponse', reference);

  it('tells how many workers are wanted, and every change', { timeout: 120_000 }, async () => {
    expect(await ask('GetMetricSpec', 'ScaledObjectRef', 'GetMetricSpecResponse', reference)).toMatchObject({
      metricSpecs: [{ metricName: 'switchyard-workers', targetSizeFloat: 8 }],
    });
    await apps.write(files);
    await up.do('deploy', `${apps.path}/shop`);
    await expect.poll(isActive, patience).toEqual({ result: false });
    const told: boolean[] = [];
    const stream = client.makeServerStreamRequest(
      '/externalscaler.ExternalScaler/StreamIsActive',
      encode('ScaledObjectRef'),
      decode('IsActiveResponse'),
      reference,
    );
    stream.on('data', ({ result }: { result: boolean }) => void told.push(result));
    stream.on('error', () => {});
    await expect.poll(() => told, patience).toEqual([false]);
    await up.do('scale', 'set', 'shop', 'alwaysReady=2');
    await expect.poll(() => told, patience).toEqual([false, true]);
    const request = { scaledObjectRef: reference, metricName: 'switchyard-workers' };
    const metrics = () => ask('GetMetrics', 'GetMetricsRequest', 'GetMetricsResponse', request);
    await expect.poll(metrics, patience).toMatchObject({ metricValues: [{ metricValueFloat: 2 }] });
    await up.do('scale', 'set', 'shop', 'alwaysReady=');
    await expect.poll(() => told, patience).toEqual([false, true, false]);
    stream.cancel();
    expect(await isActive()).toEqual({ result: false });
  });
});
