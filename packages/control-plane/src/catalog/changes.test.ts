import { createMemoryLog } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { CatalogChanges } from './changes.ts';

function createRun() {
  const log = createMemoryLog();
  return { log, changes: new CatalogChanges(log), seen: [] as string[] };
}

describe('CatalogChanges', () => {
  it('I1: calls with what there is at first, and then with what changes', () => {
    const { changes, seen } = createRun();
    changes.watch((key) => seen.push(key), ['a', 'b']);
    changes.announce('c');
    changes.announce('a');
    expect(seen).toEqual(['a', 'b', 'c', 'a']);
  });

  it('I1, I2: an observer that announces is called again, and the others too', () => {
    const { changes, seen } = createRun();
    changes.watch((key) => {
      if (key === 'a') changes.announce('b');
      if (key === 'a') changes.announce('b');
    });
    changes.watch((key) => seen.push(key));
    changes.announce('a');
    expect(seen).toEqual(['a', 'b']);
  });

  it('I2: an observer that throws is reported', () => {
    const { changes, seen, log } = createRun();
    changes.watch(() => {
      throw new Error('no');
    });
    changes.watch((key) => seen.push(key));
    changes.announce('a');
    changes.announce('b');
    expect(seen).toEqual(['a', 'b']);
    expect(log.withMessage('An observer of the catalog failed')).toHaveLength(2);
  });

  it('I3: is silent after unsubscribing and after the end', () => {
    const { changes, seen } = createRun();
    const observer = (key: string): void => {
      seen.push(key);
    };
    const end = changes.watch(observer);
    changes.watch(observer);
    end();
    changes.announce('a');
    changes.end();
    changes.announce('b');
    expect(seen).toEqual(['a']);
  });
});
