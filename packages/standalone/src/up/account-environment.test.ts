import { VirtualClock } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { keepAccountEnvironments } from './account-environment.ts';

it('makes the environment of an account once per hour, and tries again after a failure', async () => {
  const clock = new VirtualClock();
  const made: string[] = [];
  let fails = true;
  const environmentOf = keepAccountEnvironments(clock, async (accountId) => {
    made.push(accountId);
    if (fails) throw new Error('no key');
    return { TOKEN: `${accountId} ${made.length}` };
  });
  await expect(environmentOf('contoso')).rejects.toThrow('no key');
  fails = false;
  const [first, second] = await Promise.all([environmentOf('contoso'), environmentOf('contoso')]);
  expect([first, second]).toEqual([{ TOKEN: 'contoso 2' }, { TOKEN: 'contoso 2' }]);
  expect(await environmentOf('fabrikam')).toEqual({ TOKEN: 'fabrikam 3' });
  await clock.advance(60 * 60_000);
  expect(await environmentOf('contoso')).toEqual({ TOKEN: 'contoso 4' });
});
