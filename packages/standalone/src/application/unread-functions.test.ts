import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/app-folders.ts';
import { unreadFunctionsNote } from './unread-functions.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const running = (...names: string[]) => ({
  functions: names.map((name) => ({ name, trigger: 'httpTrigger', disabled: false })),
  rejected: [],
});
const filesOf = (...names: string[]) =>
  folder.write('app', Object.fromEntries(names.map((name) => [`${name}/function.json`, {}])));

describe('unreadFunctionsNote', () => {
  it('names the function.json files of an app that registers its functions in code', async () => {
    expect(await unreadFunctionsNote(await filesOf('old', 'older'), running('fresh'))).toBe(
      'The app registers its functions in code, so no function.json is read. Not running: old, older.',
    );
    const many = await filesOf('a', 'b', 'c', 'd', 'e', 'f');
    expect(await unreadFunctionsNote(many, running('fresh'))).toContain(': a, b, c, d, e and 3 more.');
  });

  it('says nothing of files that are read, of none, and of an app without functions', async () => {
    const app = await filesOf('Hello', 'filtered');
    expect(await unreadFunctionsNote(app, running('hello'))).toBeUndefined();
    expect(await unreadFunctionsNote(app, { functions: [], rejected: [] })).toBeUndefined();
    const broken = { ...running('other'), rejected: [{ name: 'Hello', reason: 'why' }] };
    expect(await unreadFunctionsNote(app, broken)).toBeUndefined();
    expect(await unreadFunctionsNote(await folder.write('plain', {}), running('a'))).toBeUndefined();
  });
});
