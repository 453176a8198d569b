import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';

const section = '6 Admin API: keys';
const needs = ['key'] as const;

/** Where each kind of key is kept, and a function that it opens. */
const places: readonly (readonly [what: string, path: string, opens: string])[] = [
  ['host', '/admin/host/keys', 'level_function'],
  ['host (function keys)', '/admin/host/functionkeys', 'level_function'],
  ['system', '/admin/host/systemkeys', 'level_system'],
  ['function', '/admin/functions/level_function/keys', 'level_function'],
];

interface Key {
  readonly name: string;
  readonly value: string;
}

const placeCases = places.flatMap(([what, path, opens]): ConformanceCase[] => [
  {
    section,
    name: `a ${what} key is made, opens, is listed and goes`,
    needs,
    async run(kit) {
      const name = kit.unique();
      const made = await kit.admin(`${path}/${name}`, { method: 'POST' });
      assert.equal(made.status, 201);
      const { value } = made.json() as Key;
      assert.match(value, /^[A-Za-z0-9_=-]{40,}$/);
      const headers = { 'x-functions-key': value };
      assert.equal((await kit.function(opens, { headers })).status, 200);
      const { keys } = (await kit.admin(path)).json() as { keys: Key[] };
      assert.ok(keys.some((key) => key.name === name && key.value === value));
      assert.equal((await kit.admin(`${path}/${name}`, { method: 'DELETE' })).status, 204);
      assert.equal((await kit.function(opens, { headers })).status, 401);
      assert.equal((await kit.admin(`${path}/${name}`)).status, 404);
    },
  },
  {
    section,
    name: `a ${what} key takes a value of its own, and another one later`,
    needs,
    async run(kit) {
      const [name, first, second] = [kit.unique(), kit.unique(), kit.unique()];
      const made = await kit.admin(`${path}/${name}`, { method: 'PUT', body: { name, value: first } });
      assert.deepEqual([made.status, (made.json() as Key).value], [201, first]);
      const changed = await kit.admin(`${path}/${name}`, { method: 'PUT', body: { name, value: second } });
      assert.deepEqual([changed.status, (changed.json() as Key).value], [200, second]);
      assert.equal((await kit.function(opens, { headers: { 'x-functions-key': first } })).status, 401);
      assert.equal((await kit.function(opens, { headers: { 'x-functions-key': second } })).status, 200);
      assert.equal(((await kit.admin(`${path}/${name}`)).json() as Key).value, second);
      await kit.admin(`${path}/${name}`, { method: 'DELETE' });
    },
  },
  {
    section,
    name: `a ${what} key is made anew by a second POST`,
    needs,
    async run(kit) {
      const name = kit.unique();
      const first = await kit.admin(`${path}/${name}`, { method: 'POST' });
      const second = await kit.admin(`${path}/${name}`, { method: 'POST' });
      assert.deepEqual([first.status, second.status], [201, 200]);
      assert.notEqual((first.json() as Key).value, (second.json() as Key).value);
      await kit.admin(`${path}/${name}`, { method: 'DELETE' });
    },
  },
  {
    section,
    name: `a ${what} key that is not there cannot be deleted`,
    needs,
    run: async (kit) => assert.equal((await kit.admin(`${path}/${kit.unique()}`, { method: 'DELETE' })).status, 404),
  },
]);

export const keyCases: readonly ConformanceCase[] = [
  ...placeCases,
  {
    section,
    name: 'the lists have links',
    needs,
    run: async (kit) => assert.ok('links' in ((await kit.admin('/admin/host/keys')).json() as object)),
  },
  {
    section,
    name: 'there is a default host key',
    needs,
    async run(kit) {
      const { keys } = (await kit.admin('/admin/host/keys')).json() as { keys: Key[] };
      assert.ok(keys.some(({ name }) => name === 'default'));
    },
  },
  {
    section,
    name: 'there is a default key of a function',
    needs,
    async run(kit) {
      const { keys } = (await kit.admin('/admin/functions/level_other/keys')).json() as { keys: Key[] };
      assert.ok(keys.some(({ name }) => name === 'default'));
    },
  },
  {
    section,
    name: 'the master key cannot be deleted',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/host/keys/_master', { method: 'DELETE' })).status, 400),
  },
  {
    section,
    name: 'the keys of an unknown function are 404',
    needs,
    run: async (kit) => assert.equal((await kit.admin('/admin/functions/nobody/keys')).status, 404),
  },
];
