import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commands } from '../registry.ts';
import { runSwitchyard } from '../run-switchyard.ts';
import { runInMemory } from '../testing/run-in-memory.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const run = (line: string, environment: Record<string, string> = {}) =>
  runInMemory((words, context) => runSwitchyard(words, commands, context), line.split(' '), {
    environment,
    workingDirectory: folder.path,
  });

describe('switchyard config', () => {
  it('shows every setting of dev with its value and its source', async () => {
    await folder.write({ 'switchyard.yaml': 'apps: [orders, payments]\nport: 8080\n' });
    const { exitCode, out } = await run('config show --verbose', { SWITCHYARD_HOST: '0.0.0.0' });
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^ {2}apps +orders payments +switchyard\.yaml$/m);
    expect(out).toMatch(/^ {2}port +8080 +switchyard\.yaml$/m);
    expect(out).toMatch(/^ {2}host +0\.0\.0\.0 +SWITCHYARD_HOST$/m);
    expect(out).toMatch(/^ {2}verbose +true +--verbose$/m);
    expect(out).toMatch(/^ {2}json +false +default$/m);
    expect(out).not.toContain('examples');
  });

  it('writes JSON for programs, which the setting of the same name does not ask for', async () => {
    const { out } = await run('config show --json --port 8080', { SWITCHYARD_HOST: '0.0.0.0' });
    expect(JSON.parse(out)).toMatchObject({
      settings: {
        port: { value: 8080, source: '--port' },
        host: { value: '0.0.0.0', source: 'SWITCHYARD_HOST' },
        verbose: { value: false, source: 'default' },
      },
    });
    expect((await run('config show', { SWITCHYARD_JSON: 'true' })).out).toContain('Settings:');
  });

  it('needs no word after it, and knows only one', async () => {
    expect((await run('config')).out).toContain('the current folder');
    const wrong = await run('config shwo');
    expect(wrong).toMatchObject({ exitCode: 2, err: expect.stringContaining("can 'show' and nothing else") });
  });

  it('complains about what is configured wrongly', async () => {
    expect(await run('config show', { SWITCHYARD_PORT: 'high' })).toMatchObject({
      exitCode: 2,
      err: "SWITCHYARD_PORT: it must be a whole number from 0 to 65535, not 'high'.\n",
    });
  });
});
