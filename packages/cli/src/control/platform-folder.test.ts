import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { platformFolder } from './platform-folder.ts';

const [work, home] = [resolve('somewhere'), resolve('at-home')];

it.each([
  ['the flag first', 'mine', { SWITCHYARD_DATA_DIR: 'theirs', HOME: home }, join(work, 'mine')],
  ['the variable next', undefined, { SWITCHYARD_DATA_DIR: 'theirs', HOME: home }, join(work, 'theirs')],
  ['the home folder then', undefined, { SWITCHYARD_DATA_DIR: '', HOME: home }, join(home, '.switchyard')],
  ['that of the system last', undefined, {}, join(homedir(), '.switchyard')],
])('takes %s', (_what, given, environment, folder) => {
  expect(platformFolder(given, { environment, workingDirectory: work })).toBe(folder);
});
