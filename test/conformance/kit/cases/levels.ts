import assert from 'node:assert/strict';
import type { ConformanceCase, Kit } from '../contract.ts';

const section = '5 HTTP trigger: keys';
const needs = ['key'] as const;

/** The keys that a caller may show, made by the admin API. */
const keyNames = ['nothing', 'nonsense', 'own', 'other', 'host', 'system', 'master'] as const;
type KeyName = (typeof keyNames)[number];

const paths: Readonly<Record<Exclude<KeyName, 'nothing' | 'nonsense' | 'master'>, string>> = {
  own: 'functions/{function}/keys',
  other: 'functions/level_other/keys',
  host: 'host/keys',
  system: 'host/systemkeys',
};

/** Which keys open a function of each level. */
const opens: Readonly<Record<string, readonly KeyName[]>> = {
  level_anonymous: keyNames,
  level_function: ['own', 'host', 'master'],
  level_byDefault: ['own', 'host', 'master'],
  level_system: ['system', 'master'],
  level_admin: ['master'],
};

const made = new WeakMap<Kit, Map<string, Promise<string>>>();

/** A key of the function by its kind; the master key is in the kit. */
export async function keyOf(kit: Kit, kind: KeyName, functionName: string): Promise<string | undefined> {
  if (kind === 'nothing' || kind === 'master') return undefined;
  if (kind === 'nonsense') return 'nonsense';
  const path = `/admin/${paths[kind].replace('{function}', functionName)}/kit-levels`;
  const known = made.get(kit) ?? new Map<string, Promise<string>>();
  made.set(kit, known);
  const key = known.get(path) ?? make(kit, path);
  known.set(path, key);
  return key;
}

async function make(kit: Kit, path: string): Promise<string> {
  const answer = await kit.admin(path, { method: 'POST' });
  assert.ok([200, 201].includes(answer.status), `${path} answered ${answer.status}`);
  return (answer.json() as { value: string }).value;
}

const levelCases = Object.entries(opens).flatMap(([name, opening]) =>
  keyNames.map((kind): ConformanceCase => {
    const isOpen = opening.includes(kind);
    return {
      section,
      name: `${name} ${isOpen ? 'is open to' : 'refuses'} the key '${kind}'`,
      needs,
      async run(kit) {
        const key = await keyOf(kit, kind, name);
        const headers = key === undefined ? {} : { 'x-functions-key': key };
        const answer = kind === 'master' ? await kit.admin(`/kit/v1/${name}`) : await kit.function(name, { headers });
        assert.equal(answer.status, isOpen ? 200 : 401);
        if (!isOpen) assert.equal(answer.text, '');
      },
    };
  }),
);

export const levelsCases: readonly ConformanceCase[] = [
  ...levelCases,
  {
    section,
    name: 'the key may stand in the query',
    needs,
    async run(kit) {
      const key = (await keyOf(kit, 'own', 'level_function')) ?? '';
      assert.equal((await kit.function(`level_function?code=${encodeURIComponent(key)}`)).status, 200);
    },
  },
  {
    section,
    name: 'the header counts before the query',
    needs,
    async run(kit) {
      const key = (await keyOf(kit, 'own', 'level_function')) ?? '';
      const headers = { 'x-functions-key': 'nonsense' };
      const path = `level_function?code=${encodeURIComponent(key)}`;
      assert.equal((await kit.function(path, { headers })).status, 401);
    },
  },
];
