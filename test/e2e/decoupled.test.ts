/** A Runtime that starts no worker, and sidecars with their workers: processes of their own, over gRPC, with signed tokens. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { workerTokenPath } from '@switchyard/protocol/control-api';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { freePort } from '@switchyard/testkit';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { Installation, type PodApp, type RuntimeHost, type SidecarHost } from './decoupled-processes.ts';
import { isAlive, runSwitchyard } from './dev-process.ts';
import { FaultyRelay } from './faulty-relay.ts';
import { azuriteEntry, azuritePart, openQueue } from './queues.ts';

let installation: Installation;
let apps: AppFolder;

beforeEach(async () => {
  installation = await Installation.open();
  apps = await openAppFolder();
});
afterEach(async () => {
  await installation.close();
  await apps.remove();
});

/** Writes a small app whose function says who it is; `more` are further files of it. */
async function writeApp(name: string, greeting: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const files = {
    'host.json': { version: '2.0', extensions: { http: { routePrefix: 'v1' } } },
    'package.json': { name, type: 'module', main: 'src/*.js', dependencies: { '@azure/functions': '*' } },
    'src/hello.js': httpFunction('hello', `${greeting} + ' pid=' + process.pid + ' ' + process.execArgv.join()`),
    ...more,
  };
  await apps.write(Object.fromEntries(Object.entries(files).map(([path, content]) => [`${name}/${path}`, content])));
  return join(apps.path, name);
}

const shopOf = async (): Promise<PodApp> => ({
  applicationId: 'shop',
  tenantId: 'contoso',
  scriptRoot: await writeApp('shop', "'shop ' + process.env.SECRET"),
  settings: { SECRET: 'of-contoso' },
});

const blogOf = async (): Promise<PodApp> => ({
  applicationId: 'blog',
  tenantId: 'fabrikam',
  scriptRoot: await writeApp('blog', "'blog ' + process.env.SECRET"),
  settings: { SECRET: 'of-fabrikam' },
});

/** The app's answer, as soon as it gives one. */
async function answerOf(runtime: RuntimeHost, app: string): Promise<string> {
  let text = '';
  await expect
    .poll(async () => {
      const answer = await runtime.call(app, '/v1/hello');
      text = answer.text;
      return answer.status;
    })
    .toBe(200);
  return text;
}

/** Asks the Runtime's control port as an operator may. */
async function operatorOf(runtime: RuntimeHost) {
  const token = await installation.issuer.control({ subject: 'me', tenants: '*', scopes: ['read', 'write'] });
  const headers = { authorization: `Bearer ${token.reveal()}` };
  return (path: string, init: RequestInit = {}) => fetch(`${runtime.controlUrl}${path}`, { ...init, headers });
}

/** Who a token says its bearer is: all of it but its number and its time. */
function identityOf(token: string): unknown {
  const { jti, iat, nbf, exp, ...identity } = JSON.parse(
    Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
  );
  expect([jti, iat, exp]).not.toContain(undefined);
  return { ...identity, hasBegin: nbf !== undefined };
}

/** The states of all workers. */
async function workerStatesOf(runtime: RuntimeHost): Promise<readonly string[]> {
  const ask = await operatorOf(runtime);
  const { jobHosts } = (await (await ask('/v1/runtime/status')).json()) as {
    jobHosts: { workers: { state: string }[] }[];
  };
  return jobHosts.flatMap(({ workers }) => workers.map(({ state }) => state));
}

/** Gives a placeholder an app, as a scale controller does. */
async function assign(sidecar: SidecarHost, runtimeEndpoint: string, app: PodApp): Promise<void> {
  const { workerId } = sidecar;
  const url = await sidecar.url();
  await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
  const authorization = `Bearer ${(await installation.issuer.assign({ podId: workerId })).reveal()}`;
  const { applicationId: id, tenantId, scriptRoot, settings: environment } = app;
  const application = { id, metadataVersion: '1.0.0', codeVersion: '1.0.0', tenantId };
  const token = await installation.tokenFor(workerId, app);
  const body = JSON.stringify({ runtimeEndpoint, application, scriptRoot, environment, token });
  expect((await fetch(`${url}/assign`, { method: 'POST', body })).status).toBe(401);
  const answer = await fetch(`${url}/assign`, { method: 'POST', body, headers: { authorization } });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(workerId)]);
  // A token counts once.
  expect((await fetch(`${url}/assign`, { method: 'POST', body, headers: { authorization } })).status).toBe(403);
}

const pidIn = (text: string): number => Number(/pid=(\d+)/.exec(text)?.[1]);

describe('switchyard runtime and switchyard sidecar', () => {
  it('serve apps of two tenants, each with its settings and its host.json, and no secret in a worker’s process', async () => {
    const runtime = await installation.startRuntime();
    await installation.startSidecar({ workerId: 'w1', app: await shopOf(), runtimeUrl: runtime.rpcUrl });
    await installation.startSidecar({ workerId: 'w2', app: await blogOf(), runtimeUrl: runtime.rpcUrl });
    const shop = await answerOf(runtime, 'shop');
    const blog = await answerOf(runtime, 'blog');
    expect([shop, blog]).toEqual([
      expect.stringMatching(/^shop of-contoso pid=/),
      expect.stringMatching(/^blog of-fabrikam pid=/),
    ]);
    expect((await runtime.call('nobody', '/v1/hello')).status).toBe(404);
    for (const text of [shop, blog]) {
      const environment = await readFile(`/proc/${pidIn(text)}/environ`, 'latin1').catch(() => '');
      expect(environment).not.toMatch(/of-contoso|of-fabrikam|WORKER_AUTH_TOKEN/);
    }
    expect(runtime.process.output).not.toMatch(/of-contoso|of-fabrikam/);
  });

  it('the death of one sidecar ends its worker and harms no other app; a new one takes its place', async () => {
    const runtime = await installation.startRuntime();
    const shop = await shopOf();
    const first = await installation.startSidecar({ workerId: 'w1', app: shop, runtimeUrl: runtime.rpcUrl });
    await installation.startSidecar({ workerId: 'w2', app: await blogOf(), runtimeUrl: runtime.rpcUrl });
    const before = pidIn(await answerOf(runtime, 'shop'));
    const blog = await answerOf(runtime, 'blog');
    await first.kill();
    await expect.poll(() => isAlive(before), { timeout: 30_000 }).toBe(false);
    expect((await runtime.call('blog', '/v1/hello')).text).toBe(blog);
    await installation.startSidecar({ workerId: 'w1', app: shop, runtimeUrl: runtime.rpcUrl });
    expect(pidIn(await answerOf(runtime, 'shop'))).not.toBe(before);
  });

  it('a Runtime that was killed is there again from its workers alone', async () => {
    const runtime = await installation.startRuntime();
    await installation.startSidecar({ workerId: 'w1', app: await shopOf(), runtimeUrl: runtime.rpcUrl });
    await installation.startSidecar({ workerId: 'w2', app: await blogOf(), runtimeUrl: runtime.rpcUrl });
    const before = [await answerOf(runtime, 'shop'), await answerOf(runtime, 'blog')];
    await runtime.kill();
    const next = await installation.startRuntime({ after: runtime });
    // Whoever calls before the workers are back waits for them.
    const after = await Promise.all(['shop', 'blog'].map((app) => next.call(app, '/v1/hello')));
    expect(after.map(({ status }) => status)).toEqual([200, 200]);
    // The same workers, with their apps: nothing was started anew.
    expect(after.map(({ text }) => text)).toEqual(before);
  });

  it.each([
    ['cut', (relay: FaultyRelay) => relay.refuse()],
    ['half open', (relay: FaultyRelay) => relay.silence()],
  ] as const)(
    'a connection that is %s is given up on both ends, and made again when the network is back',
    async (_how, breakIt) => {
      const runtime = await installation.startRuntime();
      const relay = await FaultyRelay.open(runtime.rpcPort);
      try {
        const runtimeUrl = `http://127.0.0.1:${relay.port}`;
        await installation.startSidecar({ workerId: 'w1', app: await shopOf(), runtimeUrl });
        const before = await answerOf(runtime, 'shop');
        breakIt(relay);
        await expect.poll(() => workerStatesOf(runtime), { timeout: 20_000 }).toEqual(['lost']);
        relay.heal();
        // The same worker: it was kept while its Runtime was away.
        expect(await answerOf(runtime, 'shop')).toBe(before);
      } finally {
        relay.close();
      }
    },
  );

  it('a newer version takes the traffic over from one that its sidecar has left', async () => {
    const runtime = await installation.startRuntime();
    const shop = await shopOf();
    const old = await installation.startSidecar({ workerId: 'w1', app: shop, runtimeUrl: runtime.rpcUrl });
    await answerOf(runtime, 'shop');
    const scriptRoot = await writeApp('shop-2', "'second'");
    const app = { ...shop, scriptRoot, codeVersion: '2.0.0' };
    await installation.startSidecar({ workerId: 'w3', app, runtimeUrl: runtime.rpcUrl });
    await expect.poll(async () => (await runtime.call('shop', '/v1/hello')).text).toMatch(/^second/);
    expect(await old.process.stop()).toMatchObject({ code: 0 });
    expect((await runtime.call('shop', '/v1/hello')).text).toMatch(/^second/);
  });

  it('a worker is started anew when an operator asks the Runtime for it, with its app', async () => {
    const runtime = await installation.startRuntime();
    await installation.startSidecar({ workerId: 'w1', app: await shopOf(), runtimeUrl: runtime.rpcUrl });
    const before = pidIn(await answerOf(runtime, 'shop'));
    const ask = await operatorOf(runtime);
    expect((await fetch(`${runtime.controlUrl}/v1/runtime/status`)).status).toBe(401);
    expect(await (await ask('/v1/runtime/status')).json()).toMatchObject({
      jobHosts: [{ applicationId: 'shop', workers: [{ workerId: 'w1', state: 'ready' }] }],
    });
    const body = JSON.stringify({ reason: 'test', arguments: ['--stack-trace-limit=33'] });
    expect((await ask('/v1/runtime/workers/w1/restart', { method: 'POST', body })).status).toBe(202);
    await expect.poll(() => isAlive(before)).toBe(false);
    const after = await answerOf(runtime, 'shop');
    expect(after).toContain('--stack-trace-limit=33');
    const health = await (await fetch(`${runtime.controlUrl}/health`)).json();
    expect(health).toMatchObject({
      status: 'Healthy',
      data: { grpc_server: true, ready_workers: 1, active_jobhosts: 1 },
    });
  });

  it('a placeholder takes an app that it is assigned, on its own Runtime or on another one', async () => {
    const here = await installation.startRuntime();
    const there = await installation.startRuntime();
    const give = async (runtimeUrl: string, app: PodApp, workerId: string) =>
      assign(await installation.startSidecar({ workerId, runtimeUrl: here.rpcUrl }), runtimeUrl, app);
    await give(here.rpcUrl, { ...(await shopOf()), tenantId: 'default' }, 'w1');
    await give(there.rpcUrl, await blogOf(), 'w2');
    expect(await answerOf(here, 'shop')).toMatch(/^shop of-contoso/);
    expect(await answerOf(there, 'blog')).toMatch(/^blog of-fabrikam/);
    expect((await here.call('blog', '/v1/hello')).status).toBe(404);
  });

  it('an app gets waiting workers: of its own Runtime first, then of another one, each of them once', async () => {
    const [here, there] = [await installation.startRuntime(), await installation.startRuntime()];
    const app = await shopOf();
    const sidecars = [
      await installation.startSidecar({ workerId: 'w1', app, runtimeUrl: here.rpcUrl }),
      await installation.startSidecar({ workerId: 'w2', app: await blogOf(), runtimeUrl: there.rpcUrl }),
    ];
    for (const [workerId, { rpcUrl: runtimeUrl }] of Object.entries({ w3: there, w4: here, w5: there })) {
      sidecars.push(await installation.startSidecar({ workerId, runtimeUrl }));
    }
    const urls = await Promise.all(sidecars.map((sidecar) => sidecar.url()));
    for (const url of urls) {
      await expect.poll(async () => (await fetch(`${url}/ready`)).status).toBe(200);
    }
    await writeFile(join(installation.folder, 'settings.json'), JSON.stringify({ Values: app.settings }));
    const words = [
      ...['assign', 'shop', '--tenant', app.tenantId, '--script-root', app.scriptRoot],
      ...['--settings-from', join(installation.folder, 'settings.json'), '--keys', join(installation.folder, 'keys')],
      ...['--data-dir', join(installation.folder, 'claims'), '--json', ...urls.flatMap((url) => ['--sidecar', url])],
    ];
    const assignWorkers = async (...more: readonly string[]) => {
      const { code, output } = await runSwitchyard([...words, ...more]);
      return { code, output, ...JSON.parse(/^\{.*$/m.exec(output)?.[0] ?? '{}') };
    };
    // Two at once want three, and there is one on the own Runtime and two elsewhere.
    const [one, two] = await Promise.all([assignWorkers('--count', '2'), assignWorkers('--count', '1')]);
    expect([one, two]).toMatchObject([
      { code: 0, missing: 0 },
      { code: 0, missing: 0 },
    ]);
    const taken = [...one.workers, ...two.workers];
    expect(taken.map(({ workerId }) => workerId).sort()).toEqual(['w3', 'w4', 'w5']);
    const moved = taken.filter(({ movedFrom }) => movedFrom === there.rpcUrl);
    expect(moved.map(({ workerId }) => workerId).sort()).toEqual(['w3', 'w5']);
    await expect.poll(async () => (await workerStatesOf(here)).filter((state) => state === 'ready').length).toBe(4);
    const texts: string[] = [];
    const askAtOnce = async () => {
      texts.push(...(await Promise.all(Array.from({ length: 60 }, () => answerOf(here, 'shop')))));
      return new Set(texts.map(pidIn)).size;
    };
    // A call goes to another worker only while the others have calls in work.
    await expect.poll(askAtOnce).toBe(4);
    expect(texts.every((text) => text.startsWith('shop of-contoso'))).toBe(true);
    // The other Runtime has given up what was moved, and serves what it had.
    const ask = await operatorOf(there);
    expect(await (await ask('/v1/runtime/status')).json()).toMatchObject({ placeholders: [] });
    expect(await answerOf(there, 'blog')).toMatch(/^blog of-fabrikam/);
    expect(await assignWorkers()).toMatchObject({
      code: 1,
      missing: 1,
      workers: [],
      output: expect.stringContaining('is warm'),
    });
  });

  it('an app that the Runtime was told of gets a placeholder that has hung on no Runtime before', async () => {
    const runtime = await installation.startRuntime();
    const app = await shopOf();
    const control = await installation.issuer.control({ subject: 'me', tenants: '*', scopes: ['deploy'] });
    const body = JSON.stringify({
      tenantId: app.tenantId,
      metadataVersion: '1.0.0',
      codeVersion: '1.0.0',
      language: 'node',
      scriptRoot: app.scriptRoot,
      settings: app.settings,
      hostJson: { version: '2.0', extensions: { http: { routePrefix: 'v1' } } },
    });
    const headers = { authorization: `Bearer ${control.reveal()}` };
    const told = await fetch(`${runtime.controlUrl}/v1/runtime/apps/shop`, { method: 'PUT', body, headers });
    expect([told.status, await told.json()]).toMatchObject([202, { applicationId: 'shop' }]);
    // Whoever calls now waits for the first worker.
    const early = runtime.call('shop', '/v1/hello');
    const sidecar = await installation.startSidecar({ workerId: 'w1' });
    await assign(sidecar, runtime.rpcUrl, app);
    expect(await early).toMatchObject({ status: 200, text: expect.stringMatching(/^shop of-contoso/) });
    const gone = await fetch(`${runtime.controlUrl}/v1/runtime/apps/shop`, { method: 'DELETE', headers });
    expect(gone.status).toBe(200);
    expect((await runtime.call('shop', '/v1/hello')).status).toBe(404);
    // Its worker was told to end, and its pod with it.
    expect(await sidecar.process.exited()).toMatchObject({ code: 0 });
  });

  it.each([
    ['of another app', { applicationId: 'blog', tenantId: 'contoso' }, 'w1'],
    ['of another tenant', { applicationId: 'shop', tenantId: 'fabrikam' }, 'w1'],
    ['of another worker', { applicationId: 'shop', tenantId: 'contoso' }, 'w2'],
  ])('a token %s is refused, and the sidecar says so and ends', async (_whose, other, workerId) => {
    const runtime = await installation.startRuntime();
    const app = await shopOf();
    const token = await installation.tokenFor(workerId, { ...app, ...other });
    const sidecar = await installation.startSidecar({ workerId: 'w1', app, runtimeUrl: runtime.rpcUrl, token });
    expect(await sidecar.process.exited()).toMatchObject({ code: 1 });
    expect(sidecar.process.output).toMatch(/did not take worker 'w1' \(status 7\)/);
    expect((await runtime.call('shop', '/v1/hello')).status).toBe(404);
  });

  it('speak over TLS, with a certificate that has to be the pod’s', async () => {
    const write = async (name: string, commonName: string) => {
      const { certificate, key } = createSelfSigned(commonName);
      const files = {
        certificate: join(installation.folder, `${name}.crt`),
        key: join(installation.folder, `${name}.key`),
      };
      await writeFile(files.certificate, certificate);
      await writeFile(files.key, key);
      return files;
    };
    const [server, pod, stranger] = [
      await write('server', 'runtime'),
      await write('pod', 'here'),
      await write('other', 'other'),
    ];
    const authorities = join(installation.folder, 'clients.crt');
    await writeFile(
      authorities,
      (await Promise.all([pod, stranger].map(({ certificate }) => readFile(certificate, 'utf8')))).join(''),
    );
    const runtime = await installation.startRuntime({
      flags: [
        ...['--tls-certificate', server.certificate, '--tls-key', server.key],
        ...['--tls-client-ca', authorities, '--client-certificate', 'instance'],
      ],
    });
    expect(runtime.rpcUrl).toMatch(/^https:/);
    const trust = ['--runtime-ca', server.certificate];
    const show = ({ certificate, key }: { certificate: string; key: string }): string[] => [
      ...['--client-certificate', certificate, '--client-key', key],
    ];
    const app = await shopOf();
    const foreign = await installation.startSidecar({
      workerId: 'w9',
      app,
      runtimeUrl: runtime.rpcUrl,
      flags: [...trust, ...show(stranger)],
    });
    expect(await foreign.process.exited()).toMatchObject({ code: 1 });
    await installation.startSidecar({
      workerId: 'w1',
      app,
      runtimeUrl: runtime.rpcUrl,
      flags: [...trust, ...show(pod)],
    });
    expect(await answerOf(runtime, 'shop')).toMatch(/^shop/);
  });

  it('a token is renewed before it ends, which cuts no stream, and the new one brings the worker back', async () => {
    const app = await shopOf();
    const token = await installation.tokenFor('w1', app, 4_000);
    await installation.rotateKeys();
    const runtime = await installation.startRuntime({ renews: true });
    const renewUrl = `${runtime.controlUrl}${workerTokenPath}`;
    const first = { workerId: 'w1', app, token, runtimeUrl: runtime.rpcUrl };
    const sidecar = await installation.startSidecar({ ...first, flags: ['--renew-url', renewUrl] });
    const before = await answerOf(runtime, 'shop');
    await sidecar.process.line(/A token was renewed/);
    expect((await runtime.call('shop', '/v1/hello')).text).toBe(before);
    // A Runtime that does not know the key of the first token any more takes the worker back all the same.
    await installation.forgetOldKeys();
    await runtime.kill();
    const next = await installation.startRuntime({ after: runtime, renews: true });
    expect(await answerOf(next, 'shop')).toBe(before);
    const late = await installation.startSidecar({ ...first, runtimeUrl: next.rpcUrl });
    expect(await late.process.exited()).toMatchObject({ code: 1 });
    expect(sidecar.process.output).not.toContain(token);
  });

  it('a token is renewed only for the worker that the Runtime has, and only by itself', async () => {
    const app = await shopOf();
    const runtime = await installation.startRuntime({ renews: true });
    await installation.startSidecar({ workerId: 'w1', app, runtimeUrl: runtime.rpcUrl });
    await answerOf(runtime, 'shop');
    const renew = async (token: string): Promise<[number, string]> => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${runtime.controlUrl}${workerTokenPath}`, { method: 'POST', headers });
      const body = (await answer.json()) as { readonly token?: string; readonly code?: string };
      return [answer.status, body.token ?? body.code ?? ''];
    };
    const old = await installation.tokenFor('w1', app);
    const [status, renewed] = await renew(old);
    expect([status, identityOf(renewed)]).toEqual([200, identityOf(old)]);
    expect(await renew(await installation.tokenFor('w2', app))).toEqual([403, 'TOKEN_UNWANTED']);
    const foreign = await installation.tokenFor('w1', { ...app, applicationId: 'blog' });
    expect(await renew(foreign)).toEqual([403, 'TOKEN_UNWANTED']);
    expect(await renew('no token')).toEqual([401, expect.any(String)]);
  });

  it('a token that would leave the machine in clear is not sent', async () => {
    const sidecar = await installation.startSidecar({
      workerId: 'w1',
      app: await shopOf(),
      runtimeUrl: 'http://runtime.example:50051',
    });
    expect(await sidecar.process.exited()).toMatchObject({ code: 1 });
    expect(sidecar.process.output).toContain('https');
  });
});

describe.skipIf(azuritePart.skip)('queues behind switchyard runtime', () => {
  let azurite: Azurite;
  beforeEach(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
  });
  afterEach(() => azurite.stop());

  it('reach their app over its sidecar, also after the Runtime was killed in between', async () => {
    const scriptRoot = await writeApp('shop', "'shop'", {
      'src/work.js': `import { app, output } from '@azure/functions';
const done = output.storageQueue({ queueName: 'done', connection: 'AzureWebJobsStorage' });
app.storageQueue('work', { queueName: 'work', connection: 'AzureWebJobsStorage', return: done,
  handler: (message) => ({ got: message.number }) });`,
    });
    const settings = { AzureWebJobsStorage: azurite.connectionString };
    const app = { applicationId: 'shop', tenantId: 'contoso', scriptRoot, settings };
    const work = await openQueue(azurite.connectionString, 'work');
    const done = await openQueue(azurite.connectionString, 'done');
    const runtime = await installation.startRuntime();
    await installation.startSidecar({ workerId: 'w1', app, runtimeUrl: runtime.rpcUrl });
    await work.send({ number: 1 });
    expect(await done.take(1)).toEqual([{ got: 1 }]);
    await runtime.kill();
    await work.send({ number: 2 });
    await installation.startRuntime({ after: runtime });
    expect(await done.take(1)).toEqual([{ got: 2 }]);
  });
});

describe('a sidecar beside a wrapper', () => {
  it('takes the worker that the wrapper runs, and has it started anew', async () => {
    const runtime = await installation.startRuntime();
    const socket = join(installation.folder, 'worker.sock');
    const port = await freePort();
    const worker = join(import.meta.dirname, '../../packages/worker-node/dist/worker.cjs');
    const connection = ['--host', '127.0.0.1', '--port', String(port), '--workerId', 'w1', '--requestId', 'r1'];
    const sidecar = await installation.startSidecar({
      workerId: 'w1',
      app: await shopOf(),
      runtimeUrl: runtime.rpcUrl,
      flags: ['--wrapper', socket],
      variables: { SIDECAR_PORT: String(port) },
    });
    installation.start([
      'wrapper',
      ...['--socket', socket, '--worker-path', worker, '--on-crash', 'restart'],
      ...['--', process.execPath, worker, ...connection],
    ]);
    const before = pidIn(await answerOf(runtime, 'shop'));
    // The wrapper measures what the worker uses, and the sidecar tells it.
    const { data } = (await (await fetch(`${await sidecar.url()}/health`)).json()) as { data: { usage: unknown } };
    expect(data.usage).toMatchObject({ cpu_ms: expect.any(Number), cpu_limit: 1 });
    process.kill(before, 'SIGKILL');
    await expect.poll(() => isAlive(before)).toBe(false);
    const after = pidIn(await answerOf(runtime, 'shop'));
    expect(after).not.toBe(before);
    const ask = await operatorOf(runtime);
    const body = JSON.stringify({ reason: 'test', arguments: ['--stack-trace-limit=44'] });
    expect((await ask('/v1/runtime/workers/w1/restart', { method: 'POST', body })).status).toBe(202);
    await expect.poll(() => isAlive(after)).toBe(false);
    expect(await answerOf(runtime, 'shop')).toContain('--stack-trace-limit=44');
  });
});
