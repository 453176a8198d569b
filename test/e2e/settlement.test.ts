/** Functions that settle their Service Bus messages themselves, at the port that their worker connects to. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemClock } from '@switchyard/kernel';
import { createRpcChannel, grpcStatus, settlementRpc } from '@switchyard/protocol';
import type { RuntimeList } from '@switchyard/protocol/control-api';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { type AmqpPeer, type AmqpQueue, openAmqpPeer } from '@switchyard/testkit/amqp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Installation, type RuntimeHost } from './decoupled-processes.ts';
import { type Answer, patienceMs, startDevProcess, testApp } from './dev-process.ts';
import { UpProcess, whyNoUsers } from './up-process.ts';

const waiting = { timeout: patienceMs };

/** What a lock that nobody has in hand, or somebody else, is answered with. */
const unknownLock = String(grpcStatus.failedPrecondition);

let peer: AmqpPeer;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  peer = await openAmqpPeer();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await peer.close();
});

/** A host with the app, as far as a test needs it. */
interface Host {
  /** What it and its apps have printed. */
  output(): string;
  call(app: string, path: string, options: { readonly method: string }): Promise<Answer>;
}

/** The two messages that the app settles end the way that it says, each once. */
async function settlesItself(host: Host, queue: AmqpQueue): Promise<void> {
  queue.put({ body: Buffer.from('good') });
  await expect.poll(() => host.output(), waiting).toMatch(/good: Complete is 0, again 9/);
  queue.put({ body: Buffer.from('bad') });
  await expect.poll(() => host.output(), waiting).toMatch(/bad: Deadletter is 0, again 9/);
  await expect.poll(() => queue.messages.length, waiting).toBe(0);
  expect(queue.deadLetters?.messages.map(({ message }) => String(message.body.content ?? message.body))).toEqual([
    'bad',
  ]);
}

/** Has a function of an app keep a message in hand; answers its lock and the port of its worker. */
async function hold(host: Host, queue: AmqpQueue): Promise<{ readonly token: string; readonly uri: string }> {
  queue.put({ body: Buffer.from('held') });
  const line = /held (\S+) at (\S+)/;
  await expect.poll(() => host.output(), waiting).toMatch(line);
  const [, token = '', uri = ''] = line.exec(host.output()) ?? [];
  return { token, uri };
}

async function completes(host: Host, app: string, token: string, uri?: string): Promise<string> {
  const at = uri === undefined ? '' : `&uri=${encodeURIComponent(uri)}`;
  return (await host.call(app, `/api/settle?token=${token}${at}`, { method: 'POST' })).text;
}

it.each(['settling', 'settling-custom'])(
  'settles each message once, the way that the function says (%s)',
  async (app) => {
    const queue = peer.declareQueue('orders');
    const dev = await startDevProcess({
      apps: [testApp(app)],
      flags: ['--no-azurite'],
      environment: { Bus: peer.connectionString, QUEUE: 'orders' },
    });
    closing.push(() => dev.close());
    const output = (): string => dev.output;
    await settlesItself({ output, call: (_app, path, options) => dev.request(path, options) }, queue);
  },
);

describe('behind a sidecar, under switchyard up', () => {
  const openUp = async (options: Parameters<typeof UpProcess.start>[0]): Promise<Host & { readonly up: UpProcess }> => {
    const up = await UpProcess.start(options);
    closing.push(() => up.close());
    for (const [app, tenant] of [
      ['shop', 'contoso'],
      ['blog', 'fabrikam'],
    ] as const) {
      const settings = join(dirname(up.dataFolder), `${app}.json`);
      const Values = { Bus: peer.connectionString, QUEUE: `of-${app}` };
      await writeFile(settings, JSON.stringify({ Values }));
      await up.do('deploy', testApp('settling'), '--app', app, '--tenant', tenant, '--settings-from', settings);
    }
    return { up, output: () => up.output, call: (...request) => up.call(...request) };
  };

  it('an app settles its own messages, and never those of another', async () => {
    const [shop] = [peer.declareQueue('of-shop'), peer.declareQueue('of-blog')];
    const host = await openUp({ flags: ['--trusted-tenants'] });
    await settlesItself(host, shop);
    const { token } = await hold(host, shop);
    expect(await completes(host, 'blog', token)).toBe(unknownLock);
    expect(await completes(host, 'shop', token)).toBe('0');
    await host.call('shop', '/api/release', { method: 'POST' });
    await expect.poll(() => shop.messages.length, waiting).toBe(0);
  });

  it('a custom handler settles its own messages, at the address that it is told', async () => {
    const queue = peer.declareQueue('of-handler');
    const up = await UpProcess.start({ flags: ['--trusted-tenants'] });
    closing.push(() => up.close());
    const settings = join(dirname(up.dataFolder), 'handler.json');
    await writeFile(settings, JSON.stringify({ Values: { Bus: peer.connectionString, QUEUE: 'of-handler' } }));
    await up.do('deploy', testApp('settling-custom'), '--settings-from', settings);
    const output = (): string => up.output;
    await settlesItself({ output, call: (...request) => up.call(...request) }, queue);
  });

  it('an app settles its messages on a Runtime of another process', async () => {
    const [shop] = [peer.declareQueue('of-shop'), peer.declareQueue('of-blog')];
    const host = await openUp({ flags: ['--trusted-tenants', '--max-runtimes', '2', '--region', 'south'] });
    const north = ['--name', 'north-1', '--region', 'north'];
    const member = await host.up.startMember('--data-dir', join(dirname(host.up.dataFolder), 'north'), ...north);
    closing.push(() => member.close());
    await member.line(/has joined/);
    await host.up.do('scale', 'set', 'shop', 'region=north');
    const homes = async () => (JSON.parse(await host.up.do('runtimes', '--json')) as RuntimeList).runtimes;
    await expect
      .poll(async () => (await homes()).find(({ id }) => id === 'north-1')?.applications, { timeout: 60_000 })
      .toEqual(['shop']);
    await settlesItself(host, shop);
    const { token } = await hold(host, shop);
    expect(await completes(host, 'blog', token)).toBe(unknownLock);
    expect(await completes(host, 'shop', token)).toBe('0');
  });

  describe.skipIf(whyNoUsers() !== undefined)('as root', () => {
    it('another user of the machine is refused at the port of a worker', async () => {
      const [shop] = [peer.declareQueue('of-shop'), peer.declareQueue('of-blog')];
      const host = await openUp({ isReachable: true });
      const { token, uri } = await hold(host, shop);
      expect(await completes(host, 'blog', token, uri)).toBe(String(grpcStatus.permissionDenied));
      expect(await completes(host, 'shop', token, uri)).toBe('0');
    });
  });
});

describe('behind a sidecar of its own, with TLS and tokens', () => {
  let installation: Installation;
  let runtime: RuntimeHost;
  let authority: string;
  beforeEach(async () => {
    installation = await Installation.open();
    closing.push(() => installation.close());
    const { certificate, key } = createSelfSigned('runtime');
    const [crt, pem] = [join(installation.folder, 'runtime.crt'), join(installation.folder, 'runtime.key')];
    await writeFile(crt, certificate);
    await writeFile(pem, key);
    authority = certificate;
    runtime = await installation.startRuntime({ flags: ['--tls-certificate', crt, '--tls-key', pem] });
    for (const [applicationId, tenantId] of [
      ['shop', 'contoso'],
      ['blog', 'fabrikam'],
    ] as const) {
      const settings = { Bus: peer.connectionString, QUEUE: `of-${applicationId}` };
      await installation.startSidecar({
        workerId: `of-${applicationId}`,
        app: { applicationId, tenantId, scriptRoot: testApp('settling'), settings },
        runtimeUrl: runtime.rpcUrl,
        flags: ['--runtime-ca', crt],
      });
    }
  });

  it('an app settles its own messages, and nobody else does', async () => {
    const [shop] = [peer.declareQueue('of-shop'), peer.declareQueue('of-blog')];
    const host: Host = {
      output: () => runtime.process.output,
      call: (...request) => runtime.call(...request),
    };
    await settlesItself(host, shop);
    const { token } = await hold(host, shop);
    expect(await completes(host, 'blog', token)).toBe(unknownLock);
    const channel = createRpcChannel({ clock: systemClock }, { endpoint: runtime.rpcUrl, tls: { ca: authority } });
    closing.push(() => channel.close(0));
    const request = settlementRpc.CompleteRequest.encode({ locktoken: token }).finish();
    expect(await channel.unary('/Settlement/Complete', request)).toMatchObject({
      kind: 'failed',
      status: { code: grpcStatus.unauthenticated },
    });
    expect(await completes(host, 'shop', token)).toBe('0');
  });
});
