import type { ScaleStore } from '../store/contract.ts';

/** What a contract suite needs of a test runner; given by the test, so that this file imports none. */
export interface SuiteTools {
  readonly it: (name: string, test: () => Promise<void>) => void;
  readonly equal: (actual: unknown, expected: unknown) => void;
}

/** What every store must do. `open` opens one more connection to the same data. */
export function storeContract({ it, equal }: SuiteTools, open: () => ScaleStore | Promise<ScaleStore>): void {
  it('keeps documents by kind and key, in order', async () => {
    const store = await open();
    equal(await store.read('scale', 'shop'), undefined);
    await store.write('scale', 'shop', { maximum: 3 }, 0);
    await store.write('scale', 'blog', { constructor: [1, null] }, 0);
    await store.write('lease', 'shop', 'other', 0);
    const listed = await store.list('scale');
    equal(
      listed.map(({ key, body }) => [key, body]),
      [
        ['blog', { constructor: [1, null] }],
        ['shop', { maximum: 3 }],
      ],
    );
    equal((await store.read('lease', 'shop'))?.body, 'other');
  });

  it('I1: writes and removes at the expected revision only', async () => {
    const [store, other] = [await open(), await open()];
    const first = await store.write('claim', 'w1', { by: 'a' }, 0);
    const revision = first.kind === 'written' ? first.revision : -1;
    equal(await other.write('claim', 'w1', { by: 'b' }, 0), {
      kind: 'conflict',
      present: { key: 'w1', revision, body: { by: 'a' } },
    });
    equal((await other.write('claim', 'w2', {}, 7)).kind, 'conflict');
    equal(await other.remove('claim', 'w1', revision + 1), false);
    equal((await other.write('claim', 'w1', { by: 'b' }, revision)).kind, 'written');
    equal(await store.remove('claim', 'w1', revision), false);
    equal((await store.read('claim', 'w1'))?.body, { by: 'b' });
  });

  it('I1: of many that write the same, one wins', async () => {
    const stores = [await open(), await open(), await open()];
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => {
        const store = stores[index % stores.length];
        return store?.write('claim', 'w1', index, 0);
      }),
    );
    equal(outcomes.filter((outcome) => outcome?.kind === 'written').length, 1);
  });

  it('I2: never uses a revision again', async () => {
    const store = await open();
    const seen: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const outcome = await store.write('rollout', 'shop', round, 0);
      if (outcome.kind !== 'written') continue;
      seen.push(outcome.revision);
      await store.remove('rollout', 'shop', outcome.revision);
    }
    equal(seen.length, 5);
    equal(
      seen.every((revision, index) => index === 0 || revision > (seen[index - 1] ?? 0)),
      true,
    );
  });
}
