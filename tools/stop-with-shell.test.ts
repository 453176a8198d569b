import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';

/** Says its number, and what it is asked to do. */
const program = `import(${JSON.stringify(new URL('./stop-with-shell.mjs', import.meta.url).href)}).then(({ stopWithShell }) => {
  stopWithShell();
  process.on('SIGTERM', () => { console.log('stopped'); process.exit(); });
  setInterval(() => {}, 1000);
  console.log(process.pid);
});`;

describe.skipIf(process.platform === 'win32')('stopWithShell', () => {
  let shell: ChildProcess | undefined;
  let pid = 0;
  afterEach(() => {
    shell?.kill('SIGKILL');
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended, as it should.
    }
  });

  it('stops what npm has started when its shell is ended', async () => {
    // A second command keeps the shell from becoming the process itself.
    shell = spawn('/bin/sh', ['-c', '"$0" -e "$1"; :', process.execPath, program], {
      env: { ...process.env, npm_lifecycle_event: 'start' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = shell;
    if (stdout === null) throw new Error('a pipe was asked for');
    const next = async () => String((await once(stdout, 'data'))[0]).trim();
    pid = Number(await next());
    const said = next();
    shell.kill('SIGTERM');
    expect(await said).toBe('stopped');
  });
});
