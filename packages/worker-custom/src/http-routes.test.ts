import type { JsonObject } from '@switchyard/model';
import { describe, expect, test } from 'vitest';
import { parseHttpRoutes, toRouteFunctions } from './http-routes.ts';

const file = '/app/host.json';

describe('parseHttpRoutes', () => {
  test('reads routes with their levels, in any case', () => {
    const http = {
      defaultAuthorizationLevel: 'Anonymous',
      Routes: [{ route: '{*all}' }, { Route: 'admin-area', authorizationLevel: 'Admin' }],
    };
    expect(parseHttpRoutes(http, file)).toEqual([
      { route: '{*all}', authLevel: 'anonymous' },
      { route: 'admin-area', authLevel: 'admin' },
    ]);
  });

  test('a key is needed unless the file says otherwise', () => {
    expect(parseHttpRoutes({ routes: [{ route: '' }] }, file)).toEqual([{ route: '', authLevel: 'function' }]);
    expect(parseHttpRoutes({}, file)).toEqual([]);
  });

  test.each<[JsonObject, string]>([
    [{ routes: 'all' }, "'customHandler.http.routes' in '/app/host.json' is \"all\""],
    [{ routes: [5] }, "'customHandler.http.routes[0]'"],
    [{ routes: [{}] }, "'customHandler.http.routes[0].route' in '/app/host.json' is missing"],
    [{ routes: [{ route: 'a b' }] }, 'without blanks'],
    [{ routes: [{ route: 'a//b' }] }, '"a//b"'],
    [{ routes: [{ route: 'a', authorizationLevel: 'root' }] }, "'customHandler.http.routes[0].authorizationLevel'"],
    [{ defaultAuthorizationLevel: 1 }, 'one of anonymous, user, function, system, admin'],
  ])('%j is refused: %s', (http, message) => {
    expect(() => parseHttpRoutes(http, file)).toThrow(message);
  });
});

test('a route is a function with an HTTP trigger and output', () => {
  const [first, ...others] = toRouteFunctions([{ route: 'x/{id}', authLevel: 'function' }], '/app');
  expect(others).toEqual([]);
  expect(first).toMatchObject({ name: 'http-handler1', functionId: 'http-handler1', scriptFile: 'host.json' });
  expect(first?.rawBindings.map((binding) => JSON.parse(binding) as unknown)).toEqual([
    {
      type: 'httpTrigger',
      direction: 'in',
      name: 'req',
      authLevel: 'function',
      methods: ['get', 'post', 'put', 'delete', 'patch', 'head', 'options'],
      route: 'x/{id}',
    },
    { type: 'http', direction: 'out', name: 'res' },
  ]);
});
