import { createSeededRandom, VirtualClock } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addApplication, type CatalogRun, createCatalogRun, written } from '../testing/catalog-run.ts';
import { keyLimit } from './limits.ts';

let run: CatalogRun;
beforeEach(() => {
  run = createCatalogRun({ clock: new VirtualClock(), random: createSeededRandom(1) });
  addApplication(run.catalog);
});
afterEach(() => run.remove());

const value = (name: string): string =>
  run.catalog.keys
    .list('shop')
    .find((key) => key.name === name)
    ?.value.reveal() ?? '';

describe('keys', () => {
  it('a new app has a master and a host key of its own', () => {
    addApplication(run.catalog, 'other');
    expect(run.catalog.keys.list('shop').map(({ kind, name }) => [kind, name])).toEqual([
      ['host', 'default'],
      ['master', '_master'],
    ]);
    expect(value('default')).toMatch(/^[\w-]{43}$/);
    expect(run.catalog.keys.levels('other').levelOf(value('default'), 'f')).toBeUndefined();
  });

  it('open what they are for', () => {
    const { levelOf } = run.catalog.keys.levels('shop');
    written(
      run.catalog.keys.put('shop', { kind: 'function', functionName: 'Pay', name: 'partner', value: 'k'.repeat(20) }),
    );
    written(run.catalog.keys.put('shop', { kind: 'system', name: 'grid', value: 's'.repeat(20) }));
    expect(levelOf(value('default'), 'anything')).toBe('function');
    expect(levelOf(value('_master'), 'anything')).toBe('admin');
    expect(levelOf('s'.repeat(20), 'anything')).toBe('system');
    expect(levelOf('k'.repeat(20), 'pay')).toBe('function');
    expect(levelOf('k'.repeat(20), 'other')).toBeUndefined();
    expect(levelOf('', 'pay')).toBeUndefined();
    expect(levelOf('__proto__', '__proto__')).toBeUndefined();
  });

  it('follow what is changed, and outlive a restart', () => {
    const { levelOf } = run.catalog.keys.levels('shop');
    const before = value('default');
    expect(levelOf(before, 'f')).toBe('function');
    written(run.catalog.keys.put('shop', { kind: 'host', name: 'DEFAULT' }));
    expect(levelOf(before, 'f')).toBeUndefined();
    expect(levelOf(value('DEFAULT'), 'f')).toBe('function');
    const kept = value('DEFAULT');
    expect(run.reopen().keys.levels('shop').levelOf(kept, 'f')).toBe('function');
    expect(run.catalog.keys.remove('shop', { kind: 'host', name: 'default' })).toBe(true);
    expect(run.catalog.keys.levels('shop').levelOf(kept, 'f')).toBeUndefined();
    expect(run.catalog.keys.remove('shop', { kind: 'host', name: 'default' })).toBe(false);
    expect(run.catalog.keys.remove('shop', { kind: 'master', name: '_master' })).toBe(false);
  });

  it('go with their app', () => {
    const { levelOf } = run.catalog.keys.levels('shop');
    const before = value('default');
    expect(levelOf(before, 'f')).toBe('function');
    run.catalog.applications.remove('shop');
    expect(levelOf(before, 'f')).toBeUndefined();
    addApplication(run.catalog);
    expect(levelOf(before, 'f')).toBeUndefined();
  });

  it.each([
    [{ kind: 'host', name: 'a b' }, 'letters'],
    [{ kind: 'host', name: 'a', functionName: 'f' }, 'only they'],
    [{ kind: 'function', name: 'a' }, 'only they'],
    [{ kind: 'function', name: 'a', functionName: '1' }, 'legal name'],
    [{ kind: 'master', name: 'a' }, '_master'],
    [{ kind: 'host', name: 'a', value: 'short' }, '8 to 512'],
  ] as const)('refuse %o', (key, reason) => {
    const outcome = run.catalog.keys.put('shop', key);
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'KEY_INVALID' } });
    expect(outcome.kind === 'refused' && outcome.error.message).toContain(reason);
    expect(run.catalog.keys.list('shop')).toHaveLength(2);
  });

  it('are limited in number', () => {
    for (let count = 2; count < keyLimit; count += 1) {
      written(run.catalog.keys.put('shop', { kind: 'host', name: `k${count}`, value: 'x'.repeat(8) }));
    }
    const outcome = run.catalog.keys.put('shop', { kind: 'host', name: 'last' });
    expect(outcome).toMatchObject({ kind: 'refused', error: { code: 'KEY_INVALID' } });
    expect(run.catalog.keys.list('shop')).toHaveLength(keyLimit);
  });
});
