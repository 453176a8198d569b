import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { createCapabilities, environmentNames } from '@switchyard/capabilities';
import { defaultBrokerOptions, type SpanRecord } from '@switchyard/capability-broker';
import { Secret, silentLog } from '@switchyard/kernel';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { brokerFileName } from './broker-file.ts';
import { connectAdministrator } from './connect-administrator.ts';
import { serveHostRelay } from './serve-host-relay.ts';
import {
  hostProgram,
  openRunningBroker,
  probe,
  probePath,
  type RunningTestBroker,
  removeTestFolders,
} from './testing/open-running-broker.ts';

let broker: RunningTestBroker;
afterEach(async () => {
  await broker?.close();
});
afterAll(() => removeTestFolders());

const tiers = [
  probe({ name: 'one', tier: 2, kind: 'in-process' }),
  probe({ name: 'two', tier: 2, kind: 'thread' }),
  probe({ name: 'three', tier: 3, kind: 'process' }),
];

describe('startBroker', () => {
  it('serves three kinds of hosts over three ways, each account its own', async () => {
    broker = await openRunningBroker(tiers, { webSocket: { host: '127.0.0.1', port: 0 } });
    const { port1, port2 } = new MessageChannel();
    broker.servePort(port1);
    const endpoints = { socket: broker.endpoint, web: broker.webSocketUrl ?? '', port: port2 };
    for (const [account, endpoint] of Object.entries(endpoints)) {
      const client = await broker.client(account, endpoint);
      await using caps = await client.acquire({ required: ['one', 'two', 'three'], version: '>=1.0' });
      for (const name of ['one', 'two', 'three']) {
        expect(await caps.get(name).echo?.({ account })).toEqual({ account });
        expect(await caps.get(name).account?.()).toBe(account);
      }
    }
    await expect.poll(() => broker.broker.leases.size).toBe(0);
  });

  it('gives workers variables with which the ready-made client works, and nothing to who has no token', async () => {
    broker = await openRunningBroker(tiers);
    const variables = await broker.environmentFor('contoso');
    const client = createCapabilities({
      endpoint: () => variables[environmentNames.endpoint] ?? '',
      token: () => variables[environmentNames.token] ?? '',
      now: () => 0,
    });
    expect((await client.list()).map(({ name }) => name)).toEqual(['one', 'three', 'two']);
    client.close();
    for (const token of ['', 'x', `${variables[environmentNames.token]}x`]) {
      const stranger = createCapabilities({ endpoint: () => broker.endpoint, token: () => token, now: () => 0 });
      await expect(stranger.list()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      stranger.close();
    }
  });

  it('keeps what was added, with its digest and its share, over restarts; workers may not administer', async () => {
    broker = await openRunningBroker([]);
    const admin = await connectAdministrator(broker.directory);
    const input = { name: 'ext', version: '1.0.0', tier: 2, kind: 'thread' } as const;
    const content = readFileSync(probePath);
    const digest = await admin.add(input, 'probe.cjs', content, 100);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    await admin.add({ ...input, version: '2.0.0' }, 'probe.cjs', content, 0);
    await admin.rollout('ext', '2.0.0', 40);
    await expect(admin.add({ ...input, digest: '0'.repeat(64) }, 'probe.cjs', content, 1)).rejects.toMatchObject({
      code: 'BROKER_REFUSED',
      message: expect.stringContaining('sha256'),
    });
    await expect(admin.rollout('ext', '9.0.0', 40)).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
    admin.close();
    const { directory } = broker;
    await broker.close();
    broker = await openRunningBroker([], { dataDirectory: directory });
    const again = await connectAdministrator(directory);
    expect((await again.list()).map(({ version, weight }) => [version, weight])).toEqual([
      ['2.0.0', 40],
      ['1.0.0', 100],
    ]);
    expect(await again.remove('ext', '1.0.0')).toBe(1);
    again.close();
    expect((statSync(join(directory, brokerFileName)).mode & 0o777).toString(8)).toBe('600');
  });

  it('loads no code that was changed behind its back', async () => {
    broker = await openRunningBroker([probe({ digest: '0'.repeat(64) })]);
    const client = await broker.client();
    const caps = await client.acquire({ required: ['probe'] });
    expect(() => caps.get('probe')).toThrow('instead of 000000');
  });

  it('says that a language has no host here, and that no broker runs', async () => {
    broker = await openRunningBroker([probe({ kind: 'csharp' })]);
    const caps = await (await broker.client()).acquire({ required: ['probe'] });
    expect(caps.errors.get('probe')).toContain("no host for kind 'csharp' was found");
    const { directory } = broker;
    await broker.close();
    await expect(connectAdministrator(directory)).rejects.toMatchObject({ code: 'BROKER_NOT_RUNNING' });
  });

  it('joins the spans of broker, host and capability into the trace of the caller', async () => {
    const spans: SpanRecord[] = [];
    const limits = { pool: { ...defaultBrokerOptions.pool, probeIntervalMs: 50 } };
    const top = probe({ name: 'top', requires: [{ name: 'three', range: '*' }] });
    broker = await openRunningBroker([...tiers, top], { limits }, { recordSpan: (span) => spans.push(span) });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    const caps = await (await broker.client()).acquire({ required: ['top'], traceparent });
    expect(await caps.get('top').ask?.('three', 'echo', [1])).toBe(1);
    const find = (name: string): SpanRecord | undefined => spans.find((span) => span.name === name);
    await expect.poll(() => [find('top.ask')?.error, find('three.echo')?.error]).toEqual(['', '']);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
    const parents = ['capability.acquire', 'top.ask', 'three.echo'].map((name) => find(name)?.parentSpanId);
    expect(parents).toEqual(['b7ad6b7169203331', 'b7ad6b7169203331', find('top.ask')?.spanId]);
  });

  it('runs a capability on another machine, and says what is missing when it cannot', async () => {
    const token = new Secret('t'.repeat(16));
    const program = { executable: process.execPath, parameters: [await hostProgram()] };
    const where = { host: '127.0.0.1', port: 0, token, maxHosts: 4, environment: {}, program };
    const relay = await serveHostRelay({ log: silentLog }, where);
    const far = probe({ name: 'far', endpoint: relay.url });
    broker = await openRunningBroker([far], { relayToken: token });
    const caps = await (await broker.client()).acquire({ required: ['far'] });
    expect(await caps.get('far').echo?.('hello')).toBe('hello');
    expect(await caps.get('far').settings?.()).toMatchObject({ statePath: null });
    relay.close();
    await expect(caps.get('far').echo?.(1)).rejects.toMatchObject({ code: 'SHARD_UNAVAILABLE' });
    await expect.poll(() => broker.broker.leases.size).toBe(0);
    await broker.close();
    broker = await openRunningBroker([far]);
    const refused = await (await broker.client()).acquire({ required: ['far'] });
    expect(refused.errors.get('far')).toContain('SWITCHYARD_HOST_TOKEN is not set');
  });
});
