import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRoute } from './route-match.ts';
import { createRouter, type RouteEntry } from './router.ts';

function entry(route: string, methods: string[] = [], functionName = route): RouteEntry {
  return { functionName, route, methods };
}

function routerOf(...routes: (string | RouteEntry)[]) {
  return createRouter(
    routes.map((route) => (typeof route === 'string' ? entry(route) : route)),
    { routePrefix: 'api' },
  );
}

describe('createRouter', () => {
  it('puts the prefix before every route, and the name where there is no route', () => {
    const router = createRouter([{ functionName: 'Hello', route: '', methods: [] }], { routePrefix: 'api/v1' });
    expect(router.routes[0]?.template.text).toBe('api/v1/Hello');
    expect(router.match('GET', '/api/v1/hello')?.entry.functionName).toBe('Hello');
    expect(router.match('GET', '/hello')).toBeUndefined();
    const bare = createRouter([entry('hello')], { routePrefix: '' });
    expect(bare.match('GET', '/hello')?.entry.route).toBe('hello');
  });

  it('ignores slashes around a route', () => {
    expect(routerOf('/hello/').match('GET', '/api/hello')?.entry.route).toBe('/hello/');
  });

  it('gives the parameters', () => {
    const found = routerOf('orders/{id:int}/{part?}').match('GET', '/api/Orders/7');
    expect([...(found?.params ?? [])]).toEqual([
      ['id', '7'],
      ['part', undefined],
    ]);
  });

  it('I1: a literal precedes a constrained parameter, a plain one and a catch-all, whatever the order given', () => {
    const routes = ['{*rest}', '{id}', '{id:int}', 'special', '{id}/x', 'special/{y}'];
    const expected: readonly (readonly [string, string])[] = [
      ['/api/special', 'special'],
      ['/api/5', '{id:int}'],
      ['/api/word', '{id}'],
      ['/api/a/b/c', '{*rest}'],
      ['/api/special/x', 'special/{y}'],
      ['/api/other/x', '{id}/x'],
      ['/api', '{*rest}'],
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray(routes, { minLength: routes.length }), (shuffled) => {
        const router = routerOf(...shuffled);
        for (const [path, route] of expected) expect(router.match('GET', path)?.entry.route).toBe(route);
      }),
    );
  });

  it('I1: of equal templates the first entry wins', () => {
    expect(routerOf('{a}', '{b}').match('GET', '/api/x')?.entry.route).toBe('{a}');
    expect(routerOf('{b}', '{a}').match('GET', '/api/x')?.entry.route).toBe('{b}');
  });

  it('I1: a route that matches the path but not the method gives way to the next', () => {
    const router = routerOf(entry('items', ['post']), entry('{name}', ['GET']));
    expect(router.match('POST', '/api/items')?.entry.route).toBe('items');
    expect(router.match('get', '/api/items')?.entry.route).toBe('{name}');
  });

  it('a wrong method is no match, HEAD and OPTIONS included; no methods mean all', () => {
    const router = routerOf(entry('one', ['GET']), entry('all'));
    for (const method of ['POST', 'HEAD', 'OPTIONS']) expect(router.match(method, '/api/one')).toBeUndefined();
    for (const method of ['POST', 'HEAD', 'OPTIONS', 'PROPFIND'])
      expect(router.match(method, '/api/all')).toBeDefined();
  });

  it('I2: finds what trying every route in order finds', () => {
    const segment = fc.constantFrom('a', 'b', 'A', '{x}', '{y:int}', 'a{z}', '{w?}', '1');
    const route = fc
      .uniqueArray(segment, { minLength: 1, maxLength: 3, selector: (text) => text.toLowerCase() })
      .map((segments) => segments.join('/'));
    const routes = fc.array(fc.oneof(route, fc.constantFrom('{*rest}', 'a/{*rest}')), { maxLength: 12 });
    const path = fc
      .array(fc.constantFrom('a', 'b', '1', 'ab', 'c', ''), { maxLength: 4 })
      .map((p) => `/api/${p.join('/')}`);
    fc.assert(
      fc.property(routes, fc.array(path, { minLength: 1 }), (texts, paths) => {
        const router = routerOf(
          ...texts.map((text, index) => entry(text, index % 3 === 0 ? ['GET'] : [], `F${index}`)),
        );
        for (const one of paths) {
          const expected = router.routes.find(({ template }) => matchRoute(template, one) !== undefined);
          const found = router.match('GET', one);
          expect(found?.entry.functionName).toBe(expected?.entry.functionName);
          const put = router.routes.find(({ template, methods }) => methods.size === 0 && matchRoute(template, one));
          expect(router.match('PUT', one)?.entry.functionName).toBe(put?.entry.functionName);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('I3: rejects the later of two routes with a method in common', () => {
    const router = routerOf(
      entry('items/{id}', ['GET'], 'First'),
      entry('ITEMS/{id}/', ['get', 'post'], 'Second'),
      entry('items/{id}', ['POST'], 'Third'),
      entry('items/{id}', [], 'Fourth'),
    );
    expect(router.rejected.map(({ entry: { functionName }, error }) => [functionName, error.code])).toEqual([
      ['Second', 'ROUTE_TWICE'],
      ['Fourth', 'ROUTE_TWICE'],
    ]);
    expect(router.rejected[0]?.error.message).toContain('which the function "First" has already');
    expect(router.match('POST', '/api/items/1')?.entry.functionName).toBe('Third');
  });

  it.each(['admin', 'Admin/x', '/runtime/webhooks', 'administrators', 'runtimes'])(
    'rejects the reserved route %s',
    (route) => {
      const router = routerOf(entry(route, [], 'Bad'), 'good');
      expect(router.rejected.map(({ error }) => error.code)).toEqual(['ROUTE_RESERVED']);
      expect(router.match('GET', '/api/good')).toBeDefined();
    },
  );

  it('rejects a template that cannot be read, and keeps the others', () => {
    const router = routerOf(entry('a/{id', [], 'Bad'), 'good');
    expect(router.rejected[0]?.error.message).toContain('"api/a/{id"');
    expect(router.match('GET', '/api/good')).toBeDefined();
  });

  it('answers any method and path', () => {
    const router = routerOf('a/{b}', '{*rest}', '__proto__/constructor');
    expect(router.match('GET', '/api/__proto__/constructor')?.entry.route).toBe('__proto__/constructor');
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'binary' }), (method, path) => {
        const found = router.match(method, path);
        expect(found === undefined || found.params instanceof Map).toBe(true);
      }),
    );
  });
});
