import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.ts';

const value = 'AccountKey=hunter2';
const secret = new Secret(value);

describe('Secret', () => {
  it('gives the value to who asks for it', () => {
    expect(secret.reveal()).toBe(value);
  });

  const printings: readonly (readonly [string, () => string])[] = [
    ['a template', () => `${secret}`],
    ['concatenation', () => `${''}${secret}`],
    ['String', () => String(secret)],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['util.inspect', () => inspect(secret, { showHidden: true, depth: null, getters: true })],
    ['util.inspect of a holder', () => inspect({ nested: { secret }, map: new Map([['k', secret]]) }, { depth: null })],
    ['util.format', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['own keys', () => JSON.stringify([Object.keys(secret), Object.entries(secret), { ...secret }])],
    ['an error message', () => inspect(new Error(`failed for ${secret}`))],
    ['an error cause', () => inspect(new Error('failed', { cause: secret }), { depth: null })],
    ['an error cause within an object', () => inspect(new Error('failed', { cause: { secret } }), { depth: null })],
    ['a structured clone', () => inspect(structuredClone(secret), { showHidden: true, depth: null })],
    ['util.inspect without its custom hook', () => inspect(secret, { customInspect: false, showHidden: true })],
  ];

  it.each(printings)('is not printed by %s', (_name, print) => {
    const printed = print();
    expect(printed).not.toContain('hunter2');
    expect(printed.length).toBeGreaterThan(0);
  });

  it('prints three stars', () => {
    expect(`${secret}`).toBe('***');
    expect(JSON.stringify({ secret })).toBe('{"secret":"***"}');
    expect(inspect({ secret })).toBe('{ secret: *** }');
  });
});
