import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { toText } from './finding.ts';
import { Repository, readRepository } from './repository.ts';
import type { SampleFiles } from './rule.ts';
import { rules } from './rules.ts';
import { SourceFile } from './source-file.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

function repositoryOf(files: SampleFiles): Repository {
  return new Repository(Object.entries(files).map(([path, text]) => new SourceFile(path, text)));
}

describe('the sources', () => {
  const repository = readRepository(root);

  test('tidy sees the repository', () => {
    expect(repository.packages.size).toBeGreaterThan(5);
    expect(repository.files.filter((file) => file.kind === 'source').length).toBeGreaterThan(20);
  });

  test.each(rules)('$name: $promise', (rule) => {
    expect(rule.check(repository).map(toText)).toEqual([]);
  });
});

describe('the rules', () => {
  const bad = rules.flatMap((rule) => rule.bad.map((sample, index) => ({ rule, sample, name: rule.name, index })));
  const good = rules.flatMap((rule) => rule.good.map((files, index) => ({ rule, files, name: rule.name, index })));

  test.each(bad)('$name finds bad sample $index', ({ rule, sample }) => {
    const found = rule.check(repositoryOf(sample.files));
    expect(found.map((finding) => `${finding.path}:${finding.line}`)).toEqual([sample.at]);
  });

  test.each(good)('$name passes good sample $index', ({ rule, files }) => {
    expect(rule.check(repositoryOf(files)).map(toText)).toEqual([]);
  });

  test('every rule has samples of both kinds', () => {
    expect(rules.filter((rule) => rule.bad.length === 0 || rule.good.length === 0)).toEqual([]);
  });
});
