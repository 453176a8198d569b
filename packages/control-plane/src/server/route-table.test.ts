import { type ControlOperationId, controlOperations, toControlPath } from '@switchyard/protocol/control-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findRoute } from './route-table.ts';

const id = '7b1c1f0e-4a39-4a36-9a40-6ed0d0b9a0a1';
const domain = {
  collection: 'findings',
  service: 'shop',
  secret: 'db',
  letter: 'dl-1',
  version: 'v1',
  metric: 'waiting',
};
const values = { app: 'shop', tenant: 'contoso', sha256: 'ab'.repeat(32), id, name: 'hello', ...domain };

describe('findRoute', () => {
  it('finds every operation by the path that clients build', () => {
    for (const [operation, { method, path }] of Object.entries(controlOperations)) {
      const found = findRoute(method, toControlPath(operation as ControlOperationId, values as never));
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as keyof typeof values);
      expect(found).toEqual({
        kind: 'found',
        id: operation,
        parameters: new Map(names.map((name) => [name, values[name]])),
      });
    }
  });

  it('takes HEAD for GET, and names the methods that there are', () => {
    expect(findRoute('HEAD', '/v1/apps/shop')).toMatchObject({ kind: 'found', id: 'getApplication' });
    expect(findRoute('POST', '/v1/apps/shop')).toEqual({ kind: 'method', allowed: ['PUT', 'GET', 'HEAD', 'DELETE'] });
  });

  it('decodes once, and judges what comes out', () => {
    expect(findRoute('GET', '/v1/apps/sh%6Fp')).toMatchObject({
      kind: 'found',
      parameters: new Map([['app', 'shop']]),
    });
    expect(findRoute('GET', '/v1/apps/sh%256Fp')).toMatchObject({ kind: 'invalid', name: 'app' });
    expect(findRoute('GET', '/v1/apps/%2e%2e')).toMatchObject({ kind: 'invalid', id: 'getApplication', name: 'app' });
    expect(findRoute('GET', '/v1/apps/')).toEqual({ kind: 'unknown' });
    expect(findRoute('GET', '/V1/apps')).toEqual({ kind: 'unknown' });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.array(fc.oneof(fc.string(), fc.constantFrom('v1', 'apps', '%', '..'))),
        (method, parts) => {
          const found = findRoute(method, `/${parts.join('/')}`);
          expect(['found', 'unknown', 'invalid', 'method']).toContain(found.kind);
        },
      ),
    );
  });
});
