import type { BindingMetadata } from '@switchyard/model';
import { describe, expect, it } from 'vitest';
import { createBinding, createScope } from '../testing/scope.ts';
import { httpOutputKind, httpTriggerKind } from './http-trigger.ts';

function parse(raw: Record<string, unknown>, settings: Record<string, string> = {}): unknown {
  return httpTriggerKind.parse(http(raw), createScope({ settings }));
}

function http(raw: Record<string, unknown>): BindingMetadata {
  return createBinding({ name: 'req', type: 'httpTrigger', ...raw });
}

describe('httpTriggerKind', () => {
  it('takes the function name as route, every method and the level function by default', () => {
    expect(parse({})).toEqual({ route: 'Hello', methods: [], authLevel: 'function' });
    expect(parse({ route: '', authLevel: '' })).toEqual({ route: 'Hello', methods: [], authLevel: 'function' });
  });

  it('takes what the binding says, whatever the case', () => {
    expect(parse({ route: 'orders/{id:int}', methods: ['get', 'GET', 'post'], authLevel: 'ANONYMOUS' })).toEqual({
      route: 'orders/{id:int}',
      methods: ['GET', 'POST'],
      authLevel: 'anonymous',
    });
  });

  it('drops slashes before the route and fills in settings', () => {
    expect(parse({ route: '/%BASE%/x' }, { BASE: 'shop' })).toMatchObject({ route: 'shop/x' });
  });

  it('takes a slash alone for the root of the prefix', () => {
    expect(parse({ route: '/' })).toMatchObject({ route: '/' });
    expect(parse({ route: '%BASE%' }, { BASE: '/' })).toMatchObject({ route: '/' });
  });

  it.each([
    [{ methods: 'get' }, /Hello.*"methods" is "get"/],
    [{ methods: ['ge t'] }, /"methods" is \["ge t"\]/],
    [{ methods: [1] }, /"methods"/],
    [{ authLevel: 'everyone' }, /"authLevel" is "everyone"/],
    [{ authLevel: 3 }, /"authLevel" is 3/],
    [{ route: 5 }, /"route" is 5/],
    [{ route: 'Admin/x' }, /'Admin'/],
    [{ route: '/runtime' }, /'runtime'/],
  ])('refuses %o and names value and fix', (raw, message) => {
    expect(() => parse(raw)).toThrow(message);
  });
});

describe('httpOutputKind', () => {
  it('accepts every binding and writes nothing by itself', async () => {
    const options = httpOutputKind.parse(createBinding({ name: '$return', type: 'http' }), createScope());
    expect(options).toBeNull();
  });
});
