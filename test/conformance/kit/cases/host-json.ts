import assert from 'node:assert/strict';
import type { ConformanceCase } from '../contract.ts';

const section = '7 host.json';

export const hostJsonCases: readonly ConformanceCase[] = [
  {
    section,
    name: 'a key that no host knows harms nothing',
    run: async (kit) => assert.equal((await kit.function('named_byItself')).status, 200),
  },
  {
    section,
    name: 'extensions.http.routePrefix is where functions are',
    run: async (kit) => assert.equal((await kit.call('/kit/v1/named_byItself')).status, 200),
  },
  {
    section,
    name: 'extensions.http.customHeaders are on every answer',
    run: async (kit) => assert.equal((await kit.function('named_byItself')).headers['x-kit-custom'], 'from host.json'),
  },
  {
    section,
    name: 'a header of the function is not overwritten by customHeaders',
    run: async (kit) =>
      assert.equal((await kit.function('answer/headers')).headers['x-kit-custom'], 'from the function'),
  },
  {
    section,
    name: 'AzureFunctionsJobHost__ settings win over the file',
    run: async (kit) =>
      assert.equal((await kit.function('named_byItself')).headers['x-kit-overridden'], 'from a setting'),
  },
  {
    section,
    name: 'extensions.queues.maxDequeueCount holds',
    needs: ['storage'],
    async run(kit) {
      const kitKey = kit.unique();
      await kit.storage.send('kit-fails', { kitKey });
      await kit.storage.receive('kit-fails-poison', (text) => text.includes(kitKey));
      assert.equal((await kit.notesSoFar(kitKey)).length, 2);
    },
  },
];

const disabled = '4 Function metadata';

export const metadataCases: readonly ConformanceCase[] = [
  ...['offByDots', 'offByBars'].map(
    (name): ConformanceCase => ({
      section: disabled,
      name: `${name} is disabled by a setting, and so 404`,
      run: async (kit) => assert.equal((await kit.function(name)).status, 404),
    }),
  ),
  ...['offByDots', 'offByBars'].map(
    (name): ConformanceCase => ({
      section: disabled,
      name: `${name} is there for the master key`,
      needs: ['key'],
      run: async (kit) => assert.equal((await kit.admin(`/kit/v1/${name}`)).status, 200),
    }),
  ),
  {
    section: disabled,
    name: 'a setting that says false disables nothing',
    run: async (kit) => assert.equal((await kit.function('onByDots')).status, 200),
  },
  {
    section: disabled,
    name: 'a function of an unknown kind fails alone',
    run: async (kit) => assert.equal((await kit.function('named_byItself')).status, 200),
  },
];
