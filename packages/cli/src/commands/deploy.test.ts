import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createDeferred } from '@switchyard/kernel';
import type { DeploymentStep, Problem } from '@switchyard/protocol/control-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventOf } from '../control/control-client.ts';
import { at, sampleApp, sampleStatus, versions } from '../testing/control-samples.ts';
import { readZip } from '../testing/read-zip.ts';
import { startCommand } from '../testing/run-control.ts';
import {
  answer,
  CutConnection,
  openScriptedControl,
  problem,
  type ScriptedControl,
  type SeenRequest,
  untilClosed,
} from '../testing/scripted-control.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';

type Script = Parameters<typeof openScriptedControl>[0];
type Step = EventOf<'getDeployment'>;

const deploymentId = '0b6a2a52-31c5-4b4c-9d1c-3a1c8d5f7e21';

let folder: TestFolder;
let server: ScriptedControl | undefined;
beforeEach(async () => {
  folder = await openTestFolder();
  await folder.write({
    'My Shop/host.json': { version: '2.0' },
    'My Shop/package.json': { name: 'shop' },
    'My Shop/index.js': 'module.exports = 1;',
    'tmp/.keep': '',
  });
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  // Whatever happened, no package stays behind. Some releases of npm keep compiled code there.
  const left = await readdir(join(folder.path, 'tmp'));
  expect(left.filter((name) => name !== 'node-compile-cache')).toEqual(['.keep']);
  await folder.remove();
});

const step = (name: DeploymentStep['name'], more: Partial<DeploymentStep> = {}): Step => ({
  name: 'step',
  data: { name, at, ...more },
});
const goodSteps = [
  step('stored'),
  step('indexed', { message: '4 functions' }),
  step('starting'),
  step('ready'),
  step('promoted'),
];

function script(overrides: Script = {}): Script {
  return {
    getApplication: () => problem(404, 'APP_UNKNOWN', "There is no app 'my-shop'."),
    putApplication: () => answer(sampleApp({ applicationId: 'my-shop' })),
    patchSettings: () => answer({ revision: 1, settings: [] }),
    getPackage: () => problem(404, 'PACKAGE_UNKNOWN', 'There is no such package.'),
    putPackage: ({ parameters: { sha256 = '' }, body }) =>
      answer({ sha256, codeVersion: sha256.slice(0, 16), sizeBytes: (body as Buffer).length, isNew: true }),
    createDeployment: () => answer({ deploymentId, codeVersion: versions.new }),
    getDeployment: () => ({ kind: 'events', events: goodSteps }),
    getStatus: () => answer(sampleStatus()),
    ...overrides,
  };
}

async function start(words: readonly string[], overrides: Script = {}) {
  await server?.close();
  server = await openScriptedControl(script(overrides));
  const environment = { ...server.environment, PATH: process.env.PATH, TMPDIR: join(folder.path, 'tmp') };
  return startCommand(['deploy', ...words], { environment, workingDirectory: folder.path });
}

const deploy = async (words: readonly string[], overrides: Script = {}) => (await start(words, overrides)).outcome;

const seen = (id: SeenRequest['id']) => server?.requests.filter((request) => request.id === id) ?? [];

describe('switchyard deploy', () => {
  it('packs the folder, creates the app, deploys and shows where it answers', async () => {
    const { exitCode, out, err } = await deploy(['My Shop']);
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out.replace(/\d+ B/, 'N B')).toBe(
      [
        "App 'my-shop', named after its folder (--app names another)",
        '  packed    3 files, N B',
        "  created   the app, of tenant 'default', for node",
        '  uploaded',
        `  deploying version ${versions.new}`,
        '  stored',
        '  indexed   4 functions',
        '  starting',
        '  ready',
        '  promoted',
        `Version ${versions.new} of 'my-shop' serves:`,
        'FUNCTION  TRIGGER       WHERE',
        'hello     httpTrigger   GET,POST http://shop.localhost:7071/api/hello/{name?}',
        'admin     httpTrigger   http://shop.localhost:7071/api/admin (needs a function key)',
        'cleanup   timerTrigger  disabled',
        'broken    queueTrigger  cannot run: Its connection is not set.',
        '',
      ].join('\n'),
    );
    expect(seen('putApplication')[0]?.body).toEqual({ tenantId: 'default', stack: { runtime: 'node' } });
    const [upload] = seen('putPackage');
    const names = readZip(upload?.body as Buffer).map(({ path }) => path);
    expect(names).toEqual(['host.json', 'index.js', 'package.json']);
    expect(seen('createDeployment')[0]?.body).toEqual({ sha256: upload?.parameters.sha256 });
    expect(seen('getDeployment')[0]).toMatchObject({ query: { watch: '' }, parameters: { id: deploymentId } });
  });

  it('passes on what its flags say', async () => {
    await folder.write({
      'My Shop/local.settings.json': { Values: { FUNCTIONS_WORKER_RUNTIME: 'node', Password: 'p' } },
    });
    const flags = ['--app', 'shop', '--tenant', 'contoso', '--stack', 'node:20', '--message', 'new prices'];
    const { exitCode, out } = await deploy(['My Shop', ...flags, '--settings-from', 'local.settings.json']);
    expect(exitCode).toBe(0);
    expect(out).toContain("App 'shop'\n");
    expect(out).toContain('  set       2 settings\n');
    const stack = { runtime: 'node', version: '20' };
    expect(seen('putApplication')[0]?.body).toEqual({ tenantId: 'contoso', stack });
    expect(seen('patchSettings')[0]?.body).toEqual({ set: { FUNCTIONS_WORKER_RUNTIME: 'node', Password: 'p' } });
    expect(seen('createDeployment')[0]?.body).toMatchObject({ stack, message: 'new prices' });
    expect(readZip(seen('putPackage')[0]?.body as Buffer).map(({ path }) => path)).not.toContain('local.settings.json');
  });

  it('leaves an app that is there as it is, and uploads nothing that is there', async () => {
    const { out } = await deploy(['My Shop'], {
      getApplication: () => answer(sampleApp()),
      getPackage: () => answer(undefined),
    });
    expect(out).toContain('  uploaded  before: the same package is there already\n');
    expect(seen('putApplication')).toEqual([]);
    expect(seen('putPackage')).toEqual([]);
    expect(seen('patchSettings')).toEqual([]);
  });

  it('asks the platform to hand an app to another tenant, and reports what it says', async () => {
    const { exitCode, err } = await deploy(['My Shop', '--tenant', 'fabrikam'], {
      getApplication: () => answer(sampleApp({ tenantId: 'contoso' })),
      putApplication: () => problem(409, 'TENANT_FIXED', "App 'my-shop' is of tenant 'contoso'.", 'Choose another.'),
    });
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: "App 'my-shop' is of tenant 'contoso'. Choose another.\n" });
    expect(seen('putApplication')[0]?.body).toEqual({ tenantId: 'fabrikam' });
  });

  it('can leave the new version without traffic', async () => {
    const { exitCode, out } = await deploy(['My Shop', '--no-promote'], {
      getDeployment: () => ({ kind: 'events', events: goodSteps.slice(0, 4) }),
    });
    expect(exitCode).toBe(0);
    expect(out).toContain(`is ready and has no traffic; give it some: switchyard traffic my-shop ${versions.new}=`);
    expect(seen('createDeployment')[0]?.body).toMatchObject({ promote: false });
  });

  it('writes one JSON object per line', async () => {
    const { out } = await deploy(['My Shop', '--json']);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ event }) => event)).toEqual([
      'packed',
      'created',
      'uploaded',
      'started',
      ...goodSteps.map(() => 'step'),
      'deployed',
    ]);
    expect(lines[0]).toMatchObject({ app: 'my-shop', fileCount: 3, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(lines[5]).toEqual({ event: 'step', name: 'indexed', at, message: '4 functions' });
    expect(lines.at(-1)).toMatchObject({
      codeVersion: versions.new,
      promoted: true,
      functions: [{ name: 'hello', url: 'http://shop.localhost:7071/api/hello/{name?}' }, {}, {}, {}],
    });
  });

  it('takes a lost connection up again without repeating steps', async () => {
    const reached = createDeferred<void>();
    let connections = 0;
    const command = await start(['My Shop'], {
      getDeployment: () => {
        connections += 1;
        const isFirst = connections === 1;
        const events = async function* () {
          yield* goodSteps.slice(0, isFirst ? 2 : 5);
          if (!isFirst) return;
          await reached.promise;
          throw new CutConnection();
        };
        return { kind: 'events', events: events() };
      },
    });
    await command.printed('indexed');
    reached.resolve();
    const { exitCode, out } = await command.outcome;
    expect(exitCode).toBe(0);
    expect(out).toContain('trying to get it back\n  starting\n  ready\n  promoted\n');
    expect(out.match(/ stored/g)).toHaveLength(1);
  });

  it('builds first when it is told to', async () => {
    await folder.write({ 'My Shop/package.json': { scripts: { build: 'echo compiled > built.js' } } });
    const { exitCode } = await deploy(['My Shop', '--build']);
    expect(exitCode).toBe(0);
    expect(readZip(seen('putPackage')[0]?.body as Buffer).map(({ path }) => path)).toContain('built.js');
  });
});

describe('switchyard deploy fails', () => {
  const failed = (reason: Problem | undefined, message?: string): Script => ({
    getDeployment: () => ({
      kind: 'events',
      events: [
        step('stored'),
        step('failed', {
          ...(reason === undefined ? {} : { problem: reason }),
          ...(message === undefined ? {} : { message }),
        }),
      ],
    }),
  });

  it.each([
    [
      failed({ code: 'INDEX_FAILED', message: "The app's index.js throws at line 3.", fix: 'Mend it.' }),
      "The app's index.js throws at line 3. Mend it.",
    ],
    [failed(undefined, 'No worker came.'), 'No worker came.'],
    [failed(undefined), 'the platform does not say why.'],
  ])('with what the platform says of a failed deployment', async (overrides, reason) => {
    const { exitCode, err, out } = await deploy(['My Shop'], overrides);
    expect({ exitCode, err }).toEqual({
      exitCode: 1,
      err: `App 'my-shop' was not deployed, and what ran before runs on: ${reason}\n`,
    });
    expect(out).toContain('  stored\n');
  });

  it('before it asks for anything when the folder is no app', async () => {
    const { exitCode, err } = await deploy(['tmp']);
    expect(exitCode).toBe(2);
    expect(err).toContain(`'${join(folder.path, 'tmp')}' holds no host.json`);
    expect(server?.requests).toEqual([]);
  });

  it.each([
    [['--app', 'My Shop'], "'My Shop' is no name for an app: use a-z, 0-9 and dashes"],
    [['--tenant', 'Contoso!'], "'Contoso!' is no name for a tenant"],
    [['--stack', 'Node 22'], "'Node 22' is no stack. Write a runtime"],
    [['--settings-from', 'nowhere.json'], "nowhere.json' cannot be read: ENOENT"],
    [['--build'], 'has no script "build"'],
  ])('with %j', async (flags, message) => {
    const { exitCode, err } = await deploy(['My Shop', ...flags]);
    expect([2, 3]).toContain(exitCode);
    expect(err).toContain(message);
    expect(server?.requests).toEqual([]);
  });

  it('with settings that no app can have, without showing their values', async () => {
    await folder.write({ 'bad.json': { Values: { 'a b': 'secret' } } });
    const { exitCode, err } = await deploy(['My Shop', '--settings-from', 'bad.json']);
    expect(exitCode).toBe(2);
    expect(err).toContain("'a b' cannot be set: must start with a letter");
    expect(err).not.toContain('secret');
  });

  it('when nothing tells the language of a new app', async () => {
    await folder.write({ 'plain/host.json': {} });
    const { exitCode, err } = await deploy(['plain']);
    expect(exitCode).toBe(2);
    expect(err).toContain('Name it with --stack, for example --stack node.');
  });

  it('when the upload is refused', async () => {
    const { exitCode, err } = await deploy(['My Shop'], {
      putPackage: () => problem(413, 'PACKAGE_TOO_LARGE', 'The package is too large.', 'Make it smaller.'),
    });
    expect({ exitCode, err }).toEqual({ exitCode: 2, err: 'The package is too large. Make it smaller.\n' });
    expect(seen('createDeployment')).toEqual([]);
  });
});

describe('Ctrl-C during switchyard deploy', () => {
  it('deploys nothing before the deployment has begun', async () => {
    const command = await start(['My Shop'], {
      getApplication: async (request) => {
        await untilClosed(request);
        return answer(sampleApp());
      },
    });
    await command.printed('packed');
    command.stop();
    expect(await command.outcome).toMatchObject({ exitCode: 130, err: 'Stopped; nothing was deployed.\n' });
    expect(seen('createDeployment')).toEqual([]);
  });

  it('leaves a deployment that has begun to the platform', async () => {
    const command = await start(['My Shop'], {
      getDeployment: (request) => ({
        kind: 'events',
        events: (async function* () {
          yield step('stored');
          await untilClosed(request);
        })(),
      }),
    });
    await command.printed('stored');
    command.stop();
    expect(await command.outcome).toMatchObject({
      exitCode: 130,
      err: "Stopped watching; the deployment goes on. 'switchyard ps my-shop' shows what becomes of it.\n",
    });
  });
});
