import { describe, expect, it } from 'vitest';
import { ownBuildOf } from './own-build.ts';

describe('ownBuildOf', () => {
  it.each<[string, Record<string, unknown> | undefined]>([
    ['no scripts', undefined],
    ['no script "build"', { start: 'func start' }],
    ['a script that is no text', { build: 3 }],
    ['tsc', { build: 'tsc' }],
    ['tsc with a project', { build: 'npx tsc -p tsconfig.json' }],
    ['tsc by its path, after something else', { build: 'rimraf dist && node_modules/.bin/tsc --build' }],
    ['tsc in another script', { build: 'npm run clean && npm run compile', clean: 'rm -rf dist', compile: 'tsc' }],
    ['files that are copied afterwards', { build: 'tsc && cp -r assets dist' }],
  ])('leaves %s to the compiler', (_what, scripts) => {
    expect(ownBuildOf(scripts)).toBeUndefined();
  });

  it.each<[string, Record<string, unknown>]>([
    ['a bundler', { build: 'esbuild src/index.ts --bundle --outdir=dist' }],
    ['a bundler after a check of types', { build: 'tsc --noEmit && node_modules/.bin/webpack --mode production' }],
    ['a bundler behind the compiler', { build: 'tsc && ncc build dist/index.js' }],
    ['rewritten paths', { build: 'tsc -p . && tsc-alias' }],
    ['a program', { build: 'node build.mjs' }],
    ['a bundler in another script', { build: 'yarn bundle', bundle: 'tsup' }],
    ['scripts that call one another', { build: 'npm run a', a: 'npm run build' }],
  ])('tells of %s', (_what, scripts) => {
    expect(ownBuildOf(scripts)).toBe('npm run build');
  });
});
