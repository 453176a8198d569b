import { describe, expect, test } from 'vitest';
import { createMemoryFiles } from './testing/memory-files.ts';
import { readWorkerCatalogue, type WorkerCatalogue } from './worker-catalogue.ts';

function config(language: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ description: { language, defaultExecutablePath: language, ...more } });
}

function read(texts: Record<string, string>, paths: readonly string[] = ['/workers']): Promise<WorkerCatalogue> {
  const source = 'the option --workers';
  return readWorkerCatalogue(
    createMemoryFiles(texts),
    paths.map((path) => ({ path, source })),
  );
}

describe('readWorkerCatalogue', () => {
  test('finds one worker per folder, and skips folders without a file', async () => {
    const catalogue = await read({
      '/workers/node/worker.config.json': config('node'),
      '/workers/py/worker.config.json': config('Python'),
      '/workers/other/readme.txt': '',
      '/workers/worker.config.json': config('java'),
    });
    expect([...catalogue.workers.keys()]).toEqual(['node', 'python']);
    expect(catalogue.workers.get('python')).toMatchObject({ directory: '/workers/py' });
    expect(catalogue.rejected).toEqual([]);
  });

  test('a bad file harms no other worker, and says what is wrong', async () => {
    const catalogue = await read({
      '/workers/bad/worker.config.json': '{',
      '/workers/java/worker.config.json': config('java', { extensions: 5 }),
      '/workers/node/worker.config.json': config('node'),
    });
    expect([...catalogue.workers.keys()]).toEqual(['node']);
    expect(catalogue.rejected.map(({ name, error }) => [name, error.code])).toEqual([
      ['bad', 'WORKER_CONFIG_UNREADABLE'],
      ['java', 'WORKER_CONFIG_INVALID'],
    ]);
  });

  test('of two workers for a language the first holds, and the other one is told', async () => {
    const texts = {
      '/a/node-old/worker.config.json': config('node'),
      '/b/node/worker.config.json': config('node'),
      '/b/node-2/worker.config.json': config('node'),
    };
    const catalogue = await read(texts, ['/b', '/a']);
    expect(catalogue.workers.get('node')?.directory).toBe('/b/node');
    expect(catalogue.rejected.map(({ name, error }) => [name, error.code])).toEqual([
      ['node-2', 'WORKER_CONFIG_SHADOWED'],
      ['node-old', 'WORKER_CONFIG_SHADOWED'],
    ]);
    expect(catalogue.rejected[1]?.error.message).toContain("'/a/node-old/worker.config.json' is not used");
  });

  test('a folder that is not there harms no other folder', async () => {
    const catalogue = await read({ '/workers/node/worker.config.json': config('node') }, ['/nowhere', '/workers']);
    expect([...catalogue.workers.keys()]).toEqual(['node']);
    expect(catalogue.rejected.map(({ error }) => error.message)).toEqual([
      expect.stringContaining("'/nowhere' (the option --workers) holds no language worker: there is no such folder"),
    ]);
  });

  test('what cannot be read is rejected, not thrown', async () => {
    const files = createMemoryFiles({ '/workers/node/worker.config.json': config('node'), '/locked/x/y': '' });
    files.lock('/workers/node/worker.config.json');
    files.lock('/locked');
    const directories = ['/workers', '/locked'].map((path) => ({ path, source: 'a test' }));
    const { rejected } = await readWorkerCatalogue(files, directories);
    expect(rejected.map(({ error }) => error.code)).toEqual(['WORKER_CONFIG_UNREADABLE', 'WORKER_DIRECTORY_MISSING']);
    expect(rejected.map(({ error }) => error.message).join()).toContain('EACCES');
  });

  test('a folder of a thousand folders is no folder of workers', async () => {
    const texts = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`/workers/${index}/x`, '']));
    const { rejected } = await read(texts);
    expect(rejected[0]?.error.message).toContain('it has more than 256 folders');
  });

  test('no folder is an empty catalogue', async () => {
    expect(await read({}, [])).toEqual({ workers: new Map(), rejected: [] });
  });
});
