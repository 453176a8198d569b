/** What `switchyard dev` works with: files, environment, flags; and the lines that programs read. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder, runCommand, startCommand } from './command-line.ts';
import { type DevProcess, exampleApp, startDevProcess } from './dev-process.ts';

let folder: AppFolder;
let dev: DevProcess | undefined;
beforeEach(async () => {
  folder = await openAppFolder();
});
afterEach(async () => {
  await dev?.close();
  dev = undefined;
  await folder.remove();
});

describe('switchyard.yaml', () => {
  it('names apps and settings; the environment and flags win', async () => {
    const apps = ['hello-v3', 'hello-typescript'].map(exampleApp);
    await folder.write({ 'switchyard.yaml': `port: 1\njson: true\nno-azurite: true\napps: ${JSON.stringify(apps)}\n` });
    const environment = { SWITCHYARD_JSON: 'false' };
    dev = startCommand('switchyard', folder.path, ['dev', '--port', '0'], { environment });
    await dev.line(/^Ready after/);
    expect((await dev.request('/api/hello', { app: 'hello-typescript' })).text).toBe('Hello, world!');
  });

  it('is shown by config show', async () => {
    await folder.write({ 'switchyard.yaml': 'port: 8080\n' });
    const environment = { SWITCHYARD_VERBOSE: 'yes' };
    const { code, output } = await runCommand('switchyard', folder.path, ['config', 'show'], { environment });
    expect(code).toBe(0);
    expect(output).toMatch(/^ {2}port +8080 +switchyard\.yaml$/m);
    expect(output).toMatch(/^ {2}verbose +true +SWITCHYARD_VERBOSE$/m);
  });

  it('is refused when it is wrong, with its place', async () => {
    await folder.write({ 'switchyard.yaml': 'port: high\n' });
    const { code, output } = await runCommand('switchyard', folder.path, ['dev']);
    expect({ code, output }).toEqual({
      code: 2,
      output: "port in switchyard.yaml: it must be a whole number from 0 to 65535, not 'high'.",
    });
  });
});

describe('the lines of switchyard dev', () => {
  it('tell when the worker is there, whatever the levels', async () => {
    await folder.write({
      'quiet/host.json': { version: '2.0', logging: { logLevel: { default: 'None' } } },
      'quiet/hello/function.json': {
        bindings: [
          { type: 'httpTrigger', direction: 'in', name: 'request', authLevel: 'anonymous' },
          { type: 'http', direction: 'out', name: '$return' },
        ],
      },
      'quiet/hello/index.js': 'module.exports = async () => ({ body: "quiet" });',
    });
    dev = startCommand('switchyard', folder.path, ['dev', 'quiet', '--port', '0']);
    await dev.line(/^\[[\d-]+T[\d:.]+Z\] Worker process started and initialized\.$/);
  });

  it('are JSON objects with the fields that docs/cli.md names', async () => {
    dev = await startDevProcess({
      apps: [exampleApp('hello-typescript')],
      flags: ['--json', '--no-azurite'],
      waitsUntilReady: false,
    });
    await dev.line(/"message":"Ready"/);
    await dev.stop();
    const records = dev.lines.map((line) => JSON.parse(line));
    for (const record of records) {
      expect(new Date(record.time).toISOString()).toBe(record.time);
      expect(['trace', 'debug', 'information', 'warning', 'error', 'critical']).toContain(record.level);
      expect(typeof record.message).toBe('string');
    }
    const find = (message: string) => records.find((record) => record.message === message);
    const own = { category: 'Host.Dev' };
    expect(find('Listening')).toMatchObject({ ...own, url: expect.stringMatching(/^http:\/\/localhost:\d+$/) });
    expect(find('Worker process started and initialized.')).toMatchObject({
      ...own,
      applicationId: 'hello-typescript',
      workerId: expect.any(String),
      runtime: 'node',
    });
    const convert = { name: 'convert', trigger: 'httpTrigger', disabled: false };
    const route = { template: 'api/convert/{degrees:double}', methods: ['GET'], authLevel: 'anonymous' };
    expect(find('Functions')).toMatchObject({
      ...own,
      applicationId: 'hello-typescript',
      functions: [{ ...convert, route }, { name: 'hello' }],
      rejected: [],
    });
    expect(find('Ready')).toMatchObject({ ...own, durationMs: expect.any(Number) });
    expect(find('Stopping')).toMatchObject(own);
  });
});
