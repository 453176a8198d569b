import assert from 'node:assert/strict';
import type { ConformanceCase, Kit } from '../contract.ts';

const section = '12 Binding expressions';
const needs = ['storage'] as const;
const guid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/** What a function of the fixture writes to, below a folder of its own: its name there, and what the request brings. */
const resolved: readonly (readonly [kind: string, what: string, path: RegExp, search?: string])[] = [
  ['route', 'a route parameter', /^route$/],
  ['route', 'a route parameter before a value of the query', /^route$/, 'name=other'],
  ['setting', 'a setting', /^from-settings$/],
  ['guid', '{rand-guid}', new RegExp(`^guid/${guid}$`)],
  ['guidN', '{rand-guid:N}', /^guid-n\/[0-9a-f]{32}$/],
  ['guidD', '{rand-guid:D}', new RegExp(`^guid-d/${guid}$`)],
  ['guidB', '{rand-guid:B}', new RegExp(`^guid-b/\\{${guid}\\}$`)],
  ['datetime', '{datetime}', /^datetime\/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ$/],
  ['date', '{datetime:yyyy-MM-dd}', /^date\/\d{4}-\d\d-\d\d$/],
  ['month', '{datetime:yyyy/MM}', /^month\/\d{4}\/\d\d$/],
  ['clock', '{datetime:HHmmss}', /^clock\/\d{6}$/],
  ['method', '{sys.MethodName}', /^method\/write_method$/],
  ['sysGuid', '{sys.RandGuid}', new RegExp(`^sys-guid/${guid}$`)],
  ['sysDate', '{sys.UtcNow:yyyy}', /^sys-date\/\d{4}$/],
  ['query', 'a value of the query', /^query\/asked$/, 'q=asked'],
  ['queryObject', 'a value within the Query object', /^query-object\/asked$/, 'q=asked'],
  ['header', 'a value within the Headers object', /^header\/in-header$/],
  ['body', 'a property of the JSON body', /^body\/in-body$/],
  ['anyCase', 'names in another case', /^any-case\/in-body$/],
  ['nested', 'a property within an object', /^nested\/deep$/],
  ['wins', 'binding data before {datetime}', /^wins\/mine$/, 'datetime=mine'],
];

async function write(kit: Kit, kind: string, search: string): Promise<{ status: number; name: string }> {
  const name = kit.unique();
  const { status } = await kit.function(`write/${kind}/${name}${search === '' ? '' : `?${search}`}`, {
    headers: { 'x-kit': 'in-header' },
    body: { inBody: 'in-body', outer: { inner: 'deep' } },
  });
  return { status, name };
}

const resolvedCases = resolved.map(
  ([kind, what, path, search = '']): ConformanceCase => ({
    section,
    name: `${what} is filled in`,
    needs,
    async run(kit) {
      const { status, name } = await write(kit, kind, search);
      assert.equal(status, 201);
      const [written, ...more] = await kit.storage.list('kit-written', `${name}/`);
      assert.deepEqual(more, []);
      assert.match(written?.slice(name.length + 1) ?? '', path);
    },
  }),
);

const refused = { missing: 'nothing', object: 'an object', code: 'the key in the query' } as const;
const refusedCases = (['missing', 'object', 'code'] as const).map(
  (kind): ConformanceCase => ({
    section,
    name: `an expression that names ${refused[kind]} fails the invocation, and it alone`,
    needs,
    async run(kit) {
      const { status, name } = await write(kit, kind, kind === 'code' ? 'code=key' : '');
      assert.equal(status, 500);
      assert.deepEqual(await kit.storage.list('kit-written', `${name}/`), []);
      assert.equal((await write(kit, 'route', '')).status, 201);
    },
  }),
);

const guidCase: ConformanceCase = {
  section,
  name: '{rand-guid} is another one each time',
  needs,
  async run(kit) {
    const [first, second] = [await write(kit, 'guid', ''), await write(kit, 'guid', '')];
    const [a] = await kit.storage.list('kit-written', `${first.name}/`);
    const [b] = await kit.storage.list('kit-written', `${second.name}/`);
    assert.notEqual(a?.split('/').at(-1), b?.split('/').at(-1));
  },
};

export const expressionCases = [...resolvedCases, ...refusedCases, guidCase];
