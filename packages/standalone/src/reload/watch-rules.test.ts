import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWatchRules, type WatchFacts } from './watch-rules.ts';

const node: WatchFacts = {
  main: 'src/functions/*.js',
  outDir: undefined,
  extensions: ['.js', '.mjs', '.cjs'],
  fileNames: ['host.json', 'extra.txt'],
  folders: ['node_modules', 'shared'],
  ownFolders: ['state', ''],
};
const typescript: WatchFacts = { ...node, main: './dist/src/functions/*.js', outDir: 'dist' };

describe('the folders that are entered', () => {
  it.each(['src', 'src/functions', 'hello', 'shared', 'build', 'lib/a/b'])('%s is', (path) => {
    expect(createWatchRules(node).entersFolder(path)).toBe(true);
  });

  it.each([
    'node_modules',
    'src/node_modules',
    'node_modules/a',
    '.git',
    'src/.cache',
    '__pycache__',
    'venv',
    'dist',
    'dist/src',
    'state',
    'state/timers',
    '../outside',
  ])('%s is not', (path) => {
    expect(createWatchRules(node).entersFolder(path)).toBe(false);
  });

  it.each(['dist', 'dist/src', 'dist/src/functions', 'dist/src/lib', 'src'])(
    '%s is, where main points to it',
    (path) => {
      expect(createWatchRules(typescript).entersFolder(path)).toBe(true);
    },
  );

  it('dist is, where host.json asks for it', () => {
    expect(createWatchRules({ ...node, folders: ['dist'] }).entersFolder('dist')).toBe(true);
  });

  it('node_modules and hidden folders inside the output are not', () => {
    const { entersFolder } = createWatchRules(typescript);
    expect(['dist/node_modules', 'dist/.cache'].map(entersFolder)).toEqual([false, false]);
  });
});

describe('the files that matter', () => {
  it.each([
    'host.json',
    'local.settings.json',
    'package.json',
    'hello/function.json',
    'extra.txt',
    'src/functions/a.js',
    'a.mjs',
    'b.cjs',
    'data/cities.json',
    'native.node',
    '.env',
    '.env.local',
  ])('%s asks for a new version', (path) => {
    expect(createWatchRules(node).kindOf(path)).toBe('version');
  });

  it.each([
    'README.md',
    'src/a.ts',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    '.a.js.swp',
    'a.js~',
    '4913',
    '#a.js#',
    '.#a.js',
    'a.js.tmp',
    'a.js___jb_tmp___',
    'function.json.bak',
    'src',
  ])('%s asks for nothing', (path) => {
    expect(createWatchRules(node).kindOf(path)).toBe('nothing');
  });

  it('sources of a compiled app are for its compiler', () => {
    const { kindOf } = createWatchRules(typescript);
    expect(['src/a.ts', 'src/a.mts', 'dist/src/functions/a.js'].map(kindOf)).toEqual(['source', 'source', 'version']);
  });

  it('TypeScript that runs as it is asks for a new version', () => {
    const { kindOf } = createWatchRules({ ...node, main: 'src/*.ts' });
    expect(kindOf('src/a.ts')).toBe('version');
  });

  it('takes any path', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (main, path) => {
        const rules = createWatchRules({ ...typescript, main });
        expect(typeof rules.entersFolder(path)).toBe('boolean');
        expect(['version', 'source', 'nothing']).toContain(rules.kindOf(path));
      }),
    );
  });

  it('never enters a foreign or hidden folder, whatever main says', () => {
    fc.assert(
      fc.property(fc.constantFrom('node_modules', '.git', '.switchyard'), fc.string(), (name, main) => {
        const { entersFolder } = createWatchRules({ ...node, main: `${name}/${main}`, folders: [name] });
        expect([name, `${name}/a`, `a/${name}`].map(entersFolder)).toEqual([false, false, false]);
      }),
    );
  });
});
