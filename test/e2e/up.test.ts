/** An installation with deployed apps: `switchyard up` and the commands that go with it, with real processes. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirePart } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { isAlive, patienceMs } from './dev-process.ts';
import { UpProcess, whyNoUsers } from './up-process.ts';

/** A small app; `greeting` is an expression that its answer is made of. */
const appFiles = (name: string, greeting: string, more: Readonly<Record<string, unknown>> = {}) => {
  const files = {
    'host.json': { version: '2.0', extensions: { http: { routePrefix: '' } } },
    'local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node', LEAKED: 'a-secret-of-the-developer' } },
    'package.json': { name, type: 'module', main: 'src/*.js', dependencies: { '@azure/functions': '*' } },
    'src/hello.js': httpFunction('hello', greeting),
    ...more,
  };
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [`${name}/${path}`, content]));
};

const workerPids = (up: UpProcess, app: string): Promise<readonly number[]> =>
  up.call(app, '/hello').then(({ text }) => [...text.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid)));

let apps: AppFolder;
beforeEach(async () => {
  apps = await openAppFolder();
});
afterEach(() => apps.remove());

/** What a function says of its process. */
const pid = '" pid=" + process.pid';

describe('switchyard up', () => {
  let up: UpProcess;
  beforeEach(async () => {
    up = await UpProcess.start({ flags: ['--trusted-tenants'] });
  });
  afterEach(() => up.close());

  it('serves apps of two tenants side by side, each with its own settings', async () => {
    await apps.write(appFiles('shop', `'shop ' + process.env.SECRET + ' ' + process.env.LEAKED + ${pid}`));
    await apps.write(appFiles('blog', `'blog ' + process.env.SECRET + ${pid}`));
    await up.do('deploy', `${apps.path}/shop`, '--tenant', 'contoso');
    await up.do('deploy', `${apps.path}/blog`, '--tenant', 'fabrikam');
    await up.do('settings', 'shop', 'set', 'SECRET=of-contoso');
    await up.do('settings', 'blog', 'set', 'SECRET=of-fabrikam');
    await expect.poll(async () => (await up.call('shop', '/hello')).text).toMatch(/^shop of-contoso undefined/);
    await expect.poll(async () => (await up.call('blog', '/hello')).text).toMatch(/^blog of-fabrikam/);
    const [shop = 0] = await workerPids(up, 'shop');
    const [blog = 0] = await workerPids(up, 'blog');
    expect(shop).not.toBe(blog);
    // Secrets travel over the streams alone.
    for (const pid of [shop, blog])
      for (const file of ['environ', 'cmdline'])
        expect(readFileSync(`/proc/${pid}/${file}`, 'utf8')).not.toMatch(/of-contoso|of-fabrikam/);
    expect(up.output).not.toMatch(/of-contoso|of-fabrikam/);
    expect(await up.do('ps')).toMatch(/blog\s+fabrikam[\s\S]*shop\s+contoso/);
    expect(await up.do('settings', 'shop', 'list')).not.toContain('of-contoso');
    expect((await up.call('nobody', '/hello')).status).toBe(404);
  });

  it('keeps what was deployed over a restart, also over a kill, and answers a call that wakes the app', async () => {
    await apps.write(appFiles('shop', pid));
    await up.do('deploy', `${apps.path}/shop`);
    const [worker = 0] = await workerPids(up, 'shop');
    up.signal('SIGKILL');
    await up.exited();
    await expect.poll(() => isAlive(worker)).toBe(false);
    await up.restart();
    await expect.poll(() => up.do('ps', 'shop')).toMatch(/state\s+dormant/);
    // Fewer than a worker has at once: no second one is asked for.
    const answers = await Promise.all(Array.from({ length: 5 }, () => up.call('shop', '/hello')));
    expect(answers.map(({ status }) => status)).toEqual(new Array(5).fill(200));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await up.stop()).toEqual({ code: 0, signal: null });
  });

  it('moves the traffic to a new version without losing a request, and back at once', async () => {
    await apps.write(appFiles('shop', '"one"'));
    await up.do('deploy', `${apps.path}/shop`);
    let isOver = false;
    const seen: string[] = [];
    const load = (async () => {
      while (!isOver) {
        const { status, text } = await up.call('shop', '/hello');
        seen.push(status === 200 ? text : `${status} ${text}`);
      }
    })();
    await expect.poll(() => seen.length).toBeGreaterThan(5);
    await apps.write(appFiles('shop', '"two"'));
    await up.do('deploy', `${apps.path}/shop`);
    await expect.poll(() => seen.at(-1)).toBe('two');
    await up.do('rollback', 'shop');
    await expect.poll(() => seen.at(-1)).toBe('one');
    isOver = true;
    await load;
    expect([...new Set(seen)].sort()).toEqual(['one', 'two']);
  });

  it('says why an app cannot be deployed, and lets what ran before run on', async () => {
    await apps.write(appFiles('shop', '"fine"'));
    await up.do('deploy', `${apps.path}/shop`);
    await apps.write(appFiles('shop', '"x"', { 'src/broken.js': 'throw new Error("not today");' }));
    const { code, output } = await up.run('deploy', `${apps.path}/shop`);
    expect(code).not.toBe(0);
    expect(output).toContain('not today');
    expect((await up.call('shop', '/hello')).text).toBe('fine');
    expect(await up.do('ps', 'shop')).toMatch(/failed/);
  });

  it('shows lines, frames and the inspector of a deployed app, calls its functions, and deletes it', async () => {
    await apps.write(
      appFiles('tools', '"x"', {
        'src/say.js': `import { app } from '@azure/functions';
app.http('say', { authLevel: 'function', handler: (request, context) => {
  context.log('somebody said ' + request.query.get('what'));
  console.error('on the console');
  return { body: 'said' };
} });`,
      }),
    );
    await up.do('deploy', `${apps.path}/tools`);
    expect((await up.call('tools', '/say')).status).toBe(401);
    expect(await up.do('invoke', 'tools', 'say', '--path', '/say?what=hello')).toContain('said');
    await expect
      .poll(() => up.do('logs', 'tools'))
      .toMatch(/somebody said hello[\s\S]*on the console|on the console[\s\S]*somebody said hello/);
    const debug = await up.do('debug', 'tools');
    expect(debug).toMatch(/ws:\/\/127\.0\.0\.1:\d+\//);
    const { endpoint, token } = await up.control();
    const controller = new AbortController();
    const trace = await fetch(`${endpoint}/v1/apps/tools/trace`, {
      headers: { authorization: `Bearer ${token}` },
      signal: controller.signal,
    });
    await up.do('invoke', 'tools', 'say', '--path', '/say?what=secret-words');
    let frames = '';
    const decoder = new TextDecoder();
    for await (const chunk of trace.body ?? []) {
      frames += decoder.decode(chunk, { stream: true });
      if (frames.includes('invocationResponse')) break;
    }
    controller.abort();
    expect(frames).toContain('"type":"invocationRequest"');
    expect(frames).not.toContain('secret-words');
    const metrics = await fetch(`${endpoint}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    expect(await metrics.text()).toMatch(
      /^switchyard_invocations_routed_total\{app="tools",function="\w+",.*\} [1-9]/m,
    );
    await up.do('delete', 'tools', '--yes');
    // While what is in flight ends, callers are told to come back.
    await expect.poll(async () => (await up.call('tools', '/hello')).status).toBe(404);
    expect((await up.run('ps', 'tools')).code).not.toBe(0);
  });
});

const node22 = process.env.SWITCHYARD_NODE22 ?? '';
const node22Part = requirePart('Node.js 22', node22 !== '', 'name its program in SWITCHYARD_NODE22');

describe.skipIf(node22Part.skip)('switchyard up with a second release of Node.js', () => {
  it('runs an app on the release that it asks for, and says which ones there are', async () => {
    await apps.write({ ...appFiles('older', 'process.version'), ...appFiles('newer', 'process.version') });
    const prepare = async (dataFolder: string): Promise<void> => {
      const place = join(`${dataFolder}-nodes`, '22');
      await mkdir(place, { recursive: true });
      await symlink(node22, join(place, 'node'));
      await writeFile(join(place, 'release.json'), '{ "version": "22.0.0", "program": "node" }');
    };
    const up = await UpProcess.start({ flags: ['--trusted-tenants'], prepare });
    try {
      await up.do('deploy', `${apps.path}/older`, '--stack', 'node:22');
      await up.do('deploy', `${apps.path}/newer`);
      expect((await up.call('older', '/hello')).text).toMatch(/^v22\./);
      expect((await up.call('newer', '/hello')).text).toBe(process.version);
      const { output } = await up.run('deploy', `${apps.path}/newer`, '--app', 'oldest', '--stack', 'node:20');
      expect(output).toMatch(/version '20'.*'24, 22'.*switchyard node add/s);
    } finally {
      await up.close();
    }
  });
});

describe('switchyard up with a worker of another maker', () => {
  it('makes placeholders of it where it can be one, and starts it for its app where not', async () => {
    const place = (path: string): string => fileURLToPath(new URL(`./foreign/${path}`, import.meta.url));
    const environment = { languageWorkers__workersDirectory: place('workers'), FOREIGN_WORKER_NODE: process.execPath };
    const up = await UpProcess.start({ flags: ['--no-azurite'], environment });
    try {
      await up.do('deploy', place('apps/python-like'), '--app', 'snake', '--stack', 'python');
      const answers = await Promise.all([1, 2].map((id) => up.call('snake', `/api/hello/Ada?id=${id}`)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(await up.do('ps', 'snake')).toMatch(/python/);
      // One that has to know its app when it starts.
      await up.do('deploy', place('apps/java-like'), '--app', 'coffee', '--stack', 'java');
      expect((await up.call('coffee', '/api/Hello')).status).toBe(202);
    } finally {
      await up.close();
    }
  });
});

describe('switchyard up with somebody who names a worker', () => {
  it('takes nobody for a worker of ours who does not show the key that it was started with', async () => {
    const own = fileURLToPath(new URL('../../packages/worker-node/', import.meta.url));
    const config = JSON.parse(await readFile(`${own}/worker.config.json`, 'utf8'));
    const description = { ...config.description, defaultWorkerPath: 'stranger.cjs' };
    const stranger = `delete process.env.SWITCHYARD_WORKER_KEY; require(${JSON.stringify(`${own}/dist/worker.cjs`)});`;
    await apps.write({
      'worker/worker.config.json': { ...config, description },
      'worker/stranger.cjs': stranger,
      ...appFiles('shop', '"shop"'),
    });
    const environment = { languageWorkers__node__workerDirectory: `${apps.path}/worker` };
    const up = await UpProcess.start({ flags: ['--trusted-tenants'], environment });
    try {
      const { code, output } = await up.run('deploy', `${apps.path}/shop`);
      expect([code === 0, output]).toEqual([false, expect.stringContaining('does not show the key')]);
    } finally {
      await up.close();
    }
  });
});

describe('switchyard up without --trusted-tenants', () => {
  it.skipIf(whyNoUsers() !== undefined)('as root: gives the workers of each tenant a user of their own', async () => {
    const up = await UpProcess.start({ isReachable: true });
    try {
      const read = `(await import('node:fs')).promises.readFile(request.query.get('path'), 'utf8').catch((e) => e.code)`;
      const identity = `process.getuid() + ' ' + process.cwd() + ' ' + process.env.HOME + ' ' + (await import('node:fs')).readFileSync(import.meta.filename, 'utf8').length + ' ' + process.pid + ' ' + process.env.SWITCHYARD_WORKER_KEY`;
      const files = (name: string) => appFiles(name, `request.query.get('path') ? await (${read}) : ${identity}`);
      await apps.write({ ...files('shop'), ...files('blog') });
      await up.do('deploy', `${apps.path}/shop`, '--tenant', 'contoso');
      await up.do('deploy', `${apps.path}/blog`, '--tenant', 'fabrikam');
      const answers = await Promise.all(['shop', 'blog'].map(async (app) => (await up.call(app, '/hello')).text));
      const [shop, blog] = answers.map((text) => {
        const [uid = '', folder = '', home = '', , workerPid = '', key = ''] = text.split(' ');
        return { uid: Number(uid), folder, home, workerPid, key };
      });
      expect([shop?.uid, blog?.uid]).toEqual([40_000, 40_001]);
      const told = async (app: string, path: string): Promise<string> =>
        (await up.call(app, `/hello?path=${encodeURIComponent(path)}`)).text;
      expect(await told('shop', `${shop?.folder}/host.json`)).toContain('version');
      // Neither what belongs to the other tenant nor what belongs to the installation.
      expect(await told('blog', `${shop?.folder}/host.json`)).toBe('EACCES');
      expect(await told('blog', `${up.dataFolder}/control.json`)).toBe('EACCES');
      expect(await told('blog', `/proc/${up.pid}/environ`)).toBe('EACCES');
      // Whose worker it is, everybody can read; what it proves that with, nobody else can, nor does the app inherit it.
      expect(await told('blog', `/proc/${shop?.workerPid}/cmdline`)).toContain('--functions-worker-id');
      expect(await told('blog', `/proc/${shop?.workerPid}/environ`)).toBe('EACCES');
      expect(await told('shop', `/proc/${shop?.workerPid}/environ`)).toContain('SWITCHYARD_WORKER_KEY=');
      expect(shop?.key).toBe('undefined');
    } finally {
      await up.close();
    }
  });

  it.skipIf(whyNoUsers() !== undefined)(
    'as root: a tenant that burns processors comes second to one that works',
    async () => {
      const up = await UpProcess.start({ isReachable: true });
      const calls: Promise<unknown>[] = [];
      try {
        const burn = `((end) => { while (Date.now() < end) Math.sqrt(end); return process.pid + ''; })(Date.now() + Number(request.query.get('ms')))`;
        await apps.write({ ...appFiles('shop', burn), ...appFiles('blog', burn) });
        await up.do('deploy', `${apps.path}/shop`, '--tenant', 'contoso');
        await up.do('deploy', `${apps.path}/blog`, '--tenant', 'fabrikam');
        const own = getPriority();
        const nice = async (app: string): Promise<number> =>
          getPriority(Number((await up.call(app, '/hello?ms=0')).text));
        expect([await nice('shop'), await nice('blog')]).toEqual([own, own]);
        const shop = Number((await up.call('shop', '/hello?ms=0')).text);
        const stillBurns = { is: true };
        const burning = async (): Promise<void> => {
          while (stillBurns.is) await up.call('shop', '/hello?ms=400');
        };
        calls.push(burning(), burning());
        const beside = async (): Promise<number> => {
          await up.call('blog', '/hello?ms=60');
          return getPriority(shop);
        };
        await expect.poll(beside, { timeout: patienceMs }).toBe(Math.min(own + 10, 19));
        expect(await nice('blog')).toBe(own);
        stillBurns.is = false;
        await Promise.all(calls);
        await expect.poll(beside, { timeout: patienceMs }).toBe(own);
      } finally {
        await up.close();
      }
    },
  );

  it('refuses a second tenant, and who has no token', async () => {
    const up = await UpProcess.start();
    try {
      await apps.write({ ...appFiles('shop', '"shop"'), ...appFiles('blog', '"blog"') });
      await up.do('deploy', `${apps.path}/shop`, '--tenant', 'contoso');
      const { code, output } = await up.run('deploy', `${apps.path}/blog`, '--tenant', 'fabrikam');
      expect([code === 0, output]).toEqual([false, expect.stringContaining('--trusted-tenants')]);
      const { endpoint } = await up.control();
      for (const headers of [{}, { authorization: 'Bearer x.y.z' }]) {
        expect((await fetch(`${endpoint}/v1/apps`, { headers })).status).toBe(401);
      }
    } finally {
      await up.close();
    }
  });
});
