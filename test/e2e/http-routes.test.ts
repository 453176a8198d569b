/** Which requests find which function, and who may call it: routes, constraints, methods, prefixes, levels, disabled ones. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, startDevProcess, testApp } from './dev-process.ts';

const flags = ['--no-azurite'];

describe('routes', () => {
  let dev: DevProcess;
  beforeAll(async () => {
    dev = await startDevProcess({ apps: [testApp('http-v4')], flags });
  });
  afterAll(() => dev.close());

  /** The function that answers, with its parameters; the status when none does. */
  const find = async (path: string, method = 'GET'): Promise<unknown> => {
    const answer = await dev.request(`/site/v1/${path}`, { method });
    return answer.status === 200 ? JSON.parse(answer.text) : answer.status;
  };

  const guid = '12345678-1234-1234-1234-123456789abc';
  it.each<[constraint: string, good: string[], bad: string[]]>([
    ['int', ['7', '-7', '2147483647'], ['x', '7.5', '2147483648']],
    ['bool', ['true', 'False'], ['1', 'yes']],
    ['datetime', ['2024-02-29', '2024-01-01T10:00:00Z'], ['2023-02-29', 'today']],
    ['decimal', ['1.5', '-2'], ['1e5', 'x']],
    ['double', ['1.5', '1e5'], ['x']],
    ['float', ['1.5', '1e5'], ['x']],
    ['guid', [guid, guid.replaceAll('-', '')], ['1234', 'x']],
    ['long', ['9223372036854775807'], ['9223372036854775808', 'x']],
    ['minlength', ['ab', 'abc'], ['a']],
    ['maxlength', ['a', 'abc'], ['abcd']],
    ['length', ['abc'], ['ab', 'abcd']],
    ['lengths', ['ab', 'abcd'], ['a', 'abcde']],
    ['min', ['10', '11'], ['9', 'x']],
    ['max', ['10', '-11'], ['11', 'x']],
    ['range', ['5', '7'], ['4', '8']],
    ['alpha', ['abc', 'XYZ'], ['a1']],
    ['regex', ['x1', 'X23'], ['x', 'y1']],
    ['required', ['x'], ['']],
    ['chain', ['1', '9'], ['0', '10', 'x']],
  ])('%s takes %j and not %j', async (name, good, bad) => {
    for (const x of good) expect(await find(`${name}/${x}`)).toEqual({ function: name, params: { x } });
    for (const x of bad) expect([x, await find(`${name}/${x}`)]).toEqual([x, 404]);
  });

  it('fills optional parameters, defaults and rests', async () => {
    expect(await find('optional')).toEqual({ function: 'optional', params: {} });
    expect(await find('optional/1')).toEqual({ function: 'optional', params: { x: '1' } });
    expect(await find('optionalInt')).toEqual({ function: 'optionalInt', params: {} });
    expect(await find('optionalInt/x')).toBe(404);
    expect(await find('fallback')).toEqual({ function: 'fallback', params: { x: 'seven' } });
    expect(await find('fallback/8')).toEqual({ function: 'fallback', params: { x: '8' } });
    expect(await find('rest/a/b%20c/')).toEqual({ function: 'rest', params: { x: 'a/b c/' } });
    expect(await find('rest')).toEqual({ function: 'rest', params: {} });
    expect(await find('mixed/a1b.2')).toEqual({ function: 'mixed', params: { x: '1', y: '2' } });
  });

  it('takes literals before constrained parameters, those before others, and rests last', async () => {
    const names = ['prefer/literal', 'prefer/7', 'prefer/seven', 'prefer/7/8'].map(async (path) => {
      const found = (await find(path)) as { function: string };
      return found.function;
    });
    expect(await Promise.all(names)).toEqual(['literal', 'number', 'any', 'everything']);
  });

  it('passes over case and a slash at the end, and reads names of settings in routes', async () => {
    expect(await find('BYNAME/')).toEqual({ function: 'byName', params: {} });
    expect(await find('from-setting/1')).toEqual({ function: 'fromSetting', params: { x: '1' } });
    expect((await dev.request('/byName')).status).toBe(404);
    expect((await dev.request('/SITE/V1/byName')).status).toBe(200);
  });

  it('tells methods apart, and answers 404 for one that no function takes', async () => {
    expect(await find('methods')).toMatchObject({ function: 'onlyGet' });
    expect(await find('methods', 'POST')).toMatchObject({ function: 'onlyPost' });
    expect(await find('methods', 'DELETE')).toBe(404);
    expect((await dev.request('/site/v1/byName', { method: 'TRACE' })).status).toBe(405);
  });

  it('keeps a function off its route that may not have it, with a reason, and serves the others', () => {
    expect(dev.output).toMatch(/The 'reservedRoute' function is in error: .*starts with 'admin'/);
    expect(dev.output).toMatch(/The 'takenRoute' function is in error: .*'?"onlyGet" has already/);
    expect(dev.output).toContain('/site/v1/int/{x:int}');
  });

  it('answers 404 for disabled functions, by either spelling of the setting', async () => {
    expect(await find('disabled/off')).toBe(404);
    expect(await find('disabled/alsoOff')).toBe(404);
    expect(await find('disabled/notOff')).toMatchObject({ function: 'notOff' });
  });

  it('shows a page at the root', async () => {
    const page = await dev.request('/');
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect((await dev.request('/', { method: 'POST' })).status).toBe(404);
  });
});

describe('levels', () => {
  let v4: DevProcess;
  let v3: DevProcess;
  let keys: { master: string; host: { default: string }; functions: Record<string, { default: string }> };
  let keysOfV3: typeof keys;
  beforeAll(async () => {
    const environment = { AzureWebJobsDisableHomepage: 'true' };
    const both = ['http-v4', 'http-v3'].map((app) =>
      startDevProcess({ apps: [testApp(app)], flags: [...flags, '--enable-auth'], environment }),
    );
    [v4, v3] = (await Promise.all(both)) as [DevProcess, DevProcess];
    keys = await keysOf(v4, 'http-v4');
    keysOfV3 = await keysOf(v3, 'http-v3');
  });
  afterAll(() => Promise.all([v4.close(), v3.close()]));

  async function keysOf(dev: DevProcess, app: string): Promise<typeof keys> {
    const file = /Function keys are in (.+)/.exec(await dev.line(/^Function keys are in/))?.[1] ?? '';
    return JSON.parse(await readFile(file, 'utf8')).apps[app];
  }

  const statusOf = async (dev: DevProcess, path: string, key?: string): Promise<number> => {
    const byHeader = await dev.request(path, { headers: key === undefined ? {} : { 'x-functions-key': key } });
    const byQuery = await dev.request(key === undefined ? path : `${path}?code=${encodeURIComponent(key)}`);
    expect(byHeader.status).toBe(byQuery.status);
    if (byHeader.status === 401) expect([byHeader.text, byQuery.text]).toEqual(['', '']);
    return byHeader.status;
  };

  it('anonymous: everybody', async () => {
    expect(await statusOf(v4, '/site/v1/level/anonymous')).toBe(200);
    expect(await statusOf(v4, '/site/v1/level/anonymous', 'wrong')).toBe(200);
  });

  it('function: its own keys, those of the host, and the master key', async () => {
    const path = '/site/v1/level/function';
    const own = keys.functions['level-function']?.default ?? '';
    for (const key of [own, keys.host.default, keys.master]) expect(await statusOf(v4, path, key)).toBe(200);
    const other = keys.functions['level-admin']?.default ?? '';
    for (const key of [undefined, '', 'wrong', other, `${own}x`]) expect(await statusOf(v4, path, key)).toBe(401);
  });

  it('function is the default of an empty level', async () => {
    expect(await statusOf(v3, '/byDefault')).toBe(401);
    expect(await statusOf(v3, '/byDefault', keysOfV3.host.default)).toBe(200);
  });

  it.each(['/site/v1/level/admin'])('admin: the master key alone', async (path) => {
    const own = keys.functions['level-admin']?.default ?? '';
    for (const key of [undefined, own, keys.host.default]) expect(await statusOf(v4, path, key)).toBe(401);
    expect(await statusOf(v4, path, keys.master)).toBe(200);
  });

  it.each(['/system', '/user'])('%s: no function key opens it, the master key does', async (path) => {
    expect(await statusOf(v3, path)).toBe(401);
    expect(await statusOf(v3, path, keysOfV3.host.default)).toBe(401);
    expect(await statusOf(v3, path, keysOfV3.master)).toBe(200);
  });

  it('a header counts before the query, and the key reaches no function as data', async () => {
    const path = '/site/v1/level/function';
    const wrongHeader = await v4.request(`${path}?code=${keys.master}`, { headers: { 'x-functions-key': 'wrong' } });
    expect(wrongHeader.status).toBe(401);
    const answer = await v3.request(`/see?code=${keysOfV3.master}&a=1`);
    expect(JSON.parse(answer.text).binding).not.toHaveProperty('code');
  });

  it('a disabled function is there for the master key alone', async () => {
    expect(await statusOf(v4, '/site/v1/disabled/off')).toBe(404);
    expect(await statusOf(v4, '/site/v1/disabled/off', keys.host.default)).toBe(404);
    expect(await statusOf(v4, '/site/v1/disabled/off', keys.master)).toBe(200);
  });

  it('AzureWebJobsDisableHomepage leaves nothing at the root', async () => {
    expect(await v4.request('/')).toMatchObject({ status: 204, text: '' });
  });
});
