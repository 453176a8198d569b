import { expect, it } from 'vitest';
import { createLoaded } from '../testing/versions.ts';
import { createCurrentApplications } from './current-applications.ts';

it('has the newest state of each app, in the order of the start', () => {
  const [one, two] = [createLoaded({ applicationId: 'one' }), createLoaded({ applicationId: 'two' })];
  const current = createCurrentApplications([one, two]);
  const before = current.all;
  const changed = createLoaded({ applicationId: 'one', notes: ['changed'] });
  current.replace(changed);
  current.replace(createLoaded({ applicationId: 'stranger' }));
  expect(current.all).toEqual([changed, two]);
  expect(before).toEqual([one, two]);
  expect(current.all).not.toBe(before);
});
