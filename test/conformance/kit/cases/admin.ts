import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';
import { eventually } from '../eventually.ts';

const section = '6 Admin API';
const needs = ['key'] as const;

/** Nothing here is for callers without the master key. */
const guarded: readonly (readonly [method: string, path: string])[] = [
  ['GET', '/admin/host/status'],
  ['GET', '/admin/host/keys'],
  ['GET', '/admin/host/functionkeys'],
  ['GET', '/admin/host/systemkeys'],
  ['GET', '/admin/host/processes'],
  ['GET', '/admin/host/config'],
  ['GET', '/admin/host/drain/status'],
  ['POST', '/admin/host/drain'],
  ['POST', '/admin/host/resume'],
  ['POST', '/admin/host/restart'],
  ['POST', '/admin/host/synctriggers'],
  ['PUT', '/admin/host/state'],
  ['GET', '/admin/functions'],
  ['GET', '/admin/functions/see'],
  ['GET', '/admin/functions/see/status'],
  ['GET', '/admin/functions/see/keys'],
  ['POST', '/admin/functions/timerStart'],
  ['PUT', '/admin/functions/see'],
  ['DELETE', '/admin/functions/see'],
];
const guardedCases = guarded.map(
  ([method, path]): ConformanceCase => ({
    section,
    name: `${method} ${path} is 401 without the master key`,
    needs,
    async run(kit) {
      assert.equal((await kit.call(path, { method })).status, 401);
      assert.equal((await kit.call(path, { method, headers: { 'x-functions-key': 'nonsense' } })).status, 401);
    },
  }),
);

const statusProperties: readonly (readonly [name: string, check: (value: unknown) => void])[] = [
  ['id', (value) => assert.match(String(value), /^[a-z0-9-]{1,32}$/)],
  ['state', (value) => assert.equal(value, 'Running')],
  ['version', (value) => assert.match(String(value), /^4\.\d+\.\d+/)],
  ['versionDetails', (value) => assert.match(String(value), /^4\./)],
  ['platformVersion', (value) => assert.equal(typeof value, 'string')],
  ['instanceId', (value) => assert.match(String(value), /./)],
  ['computerName', (value) => assert.match(String(value), /./)],
  ['processUptime', (value) => assert.ok(Number(value) > 0)],
];
const statusCases = statusProperties.map(
  ([name, check]): ConformanceCase => ({
    section,
    name: `host/status has ${name}`,
    needs,
    async run(kit) {
      const answer = await kit.admin('/admin/host/status');
      assert.equal(answer.status, 200);
      check((answer.json() as Record<string, unknown>)[name]);
    },
  }),
);

const functionProperties = [
  'name',
  'script_root_path_href',
  'script_href',
  'config_href',
  'test_data_href',
  'href',
  'invoke_url_template',
  'language',
  'config',
  'isDisabled',
  'isDirect',
  'isProxy',
] as const;
const functionCases = functionProperties.map(
  (property): ConformanceCase => ({
    section,
    name: `functions/{name} has ${property}`,
    needs,
    async run(kit) {
      const answer = await kit.admin('/admin/functions/see');
      assert.equal(answer.status, 200);
      assert.ok(property in (answer.json() as object));
    },
  }),
);

interface Described {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly invoke_url_template: string;
  readonly config: { readonly bindings: readonly { readonly type: string }[] };
}

const listCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'ping needs no key',
    async run(kit) {
      assert.equal((await kit.call('/admin/host/ping')).status, 200);
      assert.equal((await kit.call('/admin/host/ping', { method: 'POST' })).status, 200);
    },
  },
  {
    section,
    name: 'functions/download is the app as a zip archive',
    needs,
    async run(kit) {
      const { status, bytes } = await kit.admin('/admin/functions/download');
      assert.equal(status, 200);
      assert.equal(bytes.subarray(0, 2).toString('latin1'), 'PK');
    },
  },
  {
    section,
    name: 'PUT of a function whose name none may have is 400',
    needs,
    async run(kit) {
      const body = { config: { bindings: [] } };
      for (const name of ['1st', 'a%20b', '..%5Cx'])
        assert.equal((await kit.admin(`/admin/functions/${name}`, { method: 'PUT', body })).status, 400);
    },
  },
  {
    section,
    name: 'DELETE of a function that is not there is 404',
    needs,
    async run(kit) {
      assert.equal((await kit.admin(`/admin/functions/${kit.unique()}`, { method: 'DELETE' })).status, 404);
    },
  },
  {
    section,
    name: 'functions are listed in order of name',
    needs,
    async run(kit) {
      const names = ((await kit.admin('/admin/functions')).json() as Described[]).map(({ name }) => name.toLowerCase());
      assert.deepEqual(names, [...names].sort());
      for (const name of ['see', 'queuesees', 'timersecond']) assert.ok(names.includes(name));
    },
  },
  {
    section,
    name: 'a disabled function is listed as disabled',
    needs,
    async run(kit) {
      const listed = (await kit.admin('/admin/functions')).json() as Described[];
      const isDisabled = (name: string) => listed.find((candidate) => candidate.name === name)?.isDisabled;
      assert.deepEqual([isDisabled('offByDots'), isDisabled('see')], [true, false]);
    },
  },
  {
    section,
    name: 'a function tells its bindings',
    needs,
    async run(kit) {
      const { config } = (await kit.admin('/admin/functions/queueSees')).json() as Described;
      assert.ok(config.bindings.some(({ type }) => type.toLowerCase() === 'queuetrigger'));
    },
  },
  {
    section,
    name: 'an HTTP function tells the address to call it at',
    needs,
    async run(kit) {
      const described = (await kit.admin('/admin/functions/see')).json() as Described;
      assert.match(described.invoke_url_template, /\/kit\/v1\/see\//);
    },
  },
  {
    section,
    name: 'an unknown function is 404',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/functions/nobody')).status, 404),
  },
  {
    section,
    name: 'names of functions take any case',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/functions/QUEUESEES')).status, 200),
  },
  {
    section,
    name: 'a function that works has no errors in its status',
    needs,
    async run(kit) {
      const answer = await kit.admin('/admin/functions/see/status');
      assert.equal(answer.status, 200);
      assert.deepEqual((answer.json() as { errors?: unknown[] }).errors ?? [], []);
    },
  },
  {
    section,
    name: 'an unknown path is 404',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/nothing/here')).status, 404),
  },
  {
    section,
    name: 'the worker processes are listed',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/host/processes')).status, 200),
  },
  {
    section,
    name: 'synctriggers is taken',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/host/synctriggers', { method: 'POST' })).status, 200),
  },
  {
    section,
    name: 'nobody drains: the drain is disabled',
    needs,
    async run(kit) {
      const status = (await kit.admin('/admin/host/drain/status')).json() as Record<string, unknown>;
      assert.deepEqual([status.state, typeof status.outstandingInvocations], ['Disabled', 'number']);
    },
  },
];

const manualCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'a queue function runs with the input as its message',
    needs,
    async run(kit) {
      const kitKey = kit.unique();
      const body = { input: JSON.stringify({ kitKey, by: 'hand' }) };
      assert.equal((await kit.admin('/admin/functions/queueSettings', { body })).status, 202);
      assert.deepEqual(await kit.notes(kitKey), [{ kitKey, by: 'hand' }]);
    },
  },
  {
    section,
    name: 'a blob function runs with the blob that the input names',
    needs: ['key', 'storage'],
    async run(kit) {
      const name = kit.unique();
      await kit.storage.upload('kit-blobs', `${name}.txt`, 'by hand');
      const before = (await kit.notes(`blob-${name}`)).length;
      const body = { input: `kit-blobs/${name}.txt` };
      assert.equal((await kit.admin('/admin/functions/blobSees', { body })).status, 202);
      const notes = (await kit.notes(`blob-${name}`, before + 1)) as { content: { base64: string } }[];
      assert.equal(Buffer.from(notes.at(-1)?.content.base64 ?? '', 'base64').toString(), 'by hand');
    },
  },
  {
    section,
    name: 'a run without a body is 400',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/functions/timerStart', { method: 'POST' })).status, 400),
  },
  {
    section,
    name: 'a run of an unknown function is 404',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/functions/nobody', { body: { input: '' } })).status, 404),
  },
];

const drainCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'drain stops the listeners, tells when it is complete, and resume starts them',
    needs: ['key', 'storage'],
    isDisruptive: true,
    async run(kit) {
      assert.equal((await kit.admin('/admin/host/drain', { method: 'POST' })).status, 202);
      await eventually('the end of the drain', async () => {
        const { state } = (await kit.admin('/admin/host/drain/status')).json() as { state: string };
        return state === 'Completed' ? state : undefined;
      });
      const kitKey = kit.unique();
      await kit.storage.send('kit-settings', { kitKey });
      assert.equal((await kit.function('named_byItself')).status, 200);
      assert.deepEqual(await kit.notesSoFar(kitKey), []);
      const resumed = await kit.admin('/admin/host/resume', { method: 'POST' });
      assert.equal(resumed.status, 200);
      await kit.notes(kitKey);
      const { state } = (await kit.admin('/admin/host/drain/status')).json() as { state: string };
      assert.equal(state, 'Disabled');
    },
  },
];

export const adminCases: readonly ConformanceCase[] = [
  ...guardedCases,
  ...statusCases,
  ...functionCases,
  ...listCases,
  ...manualCases,
  ...drainCases,
];
