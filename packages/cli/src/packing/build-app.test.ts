import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { buildApp } from './build-app.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
  await folder.write({ 'package.json': { scripts: { build: 'anything' } } });
});
afterEach(() => folder.remove());

/** Builds with a script in place of npm. */
async function build(script: string, signal?: AbortSignal) {
  await folder.write({ 'tool.sh': `#!/bin/sh\n${script}\n` });
  const program = join(folder.path, 'tool.sh');
  await chmod(program, 0o755);
  const printed: string[] = [];
  const environment = { PATH: process.env.PATH, GREETING: 'hello' };
  await buildApp(folder.path, {
    environment,
    print: (text) => printed.push(text),
    program,
    ...(signal === undefined ? {} : { signal }),
  });
  return printed.join('');
}

describe('buildApp', () => {
  it("runs the app's build script in its folder and shows what it prints", async () => {
    expect(await build('echo "$@ $GREETING"; pwd >&2; echo built > dist.js')).toContain('run build hello');
    expect(await folder.read('dist.js')).toBe('built\n');
  });

  it('says when the build fails, or cannot be run', async () => {
    await expect(build('exit 3')).rejects.toThrow('(exit code 3), so nothing was deployed');
    const options = { environment: {}, print: () => {}, program: join(folder.path, 'missing') };
    await expect(buildApp(folder.path, options)).rejects.toThrow('ENOENT');
  });

  it('wants a build script', async () => {
    await folder.write({ 'package.json': { scripts: {} } });
    await expect(build('exit 0')).rejects.toMatchObject({ code: 'PACK_NO_BUILD_SCRIPT' });
  });

  it('ends the build when it is told to', async () => {
    const stop = new AbortController();
    const running = build('exec tail -f /dev/null', stop.signal);
    stop.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});
