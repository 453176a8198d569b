import { join } from 'node:path';
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

const run = (line: string, workingDirectory = folder.path) =>
  runInMemory((words, context) => runSwitchyard(words, commands, context), line.split(' '), { workingDirectory });

describe('switchyard init', () => {
  it('makes an app in a folder of its name, and says how to go on', async () => {
    const { exitCode, out } = await run('init shop');
    expect(exitCode).toBe(0);
    expect(out).toContain("Made the TypeScript app 'shop':\n  package.json\n");
    const steps = ['cd shop', 'npm install', 'switchyard new http', 'npm run build', 'switchyard dev'];
    expect(out).toContain(`Next:\n${steps.map((step) => `  ${step}\n`).join('')}`);
    expect(JSON.parse(await folder.read('shop/package.json'))).toMatchObject({ name: 'shop' });
  });

  it('makes one here, in JavaScript, under another name', async () => {
    const { out } = await run('init --language js --name till');
    expect(out).toContain("Made the JavaScript app 'till'");
    expect(out).not.toContain('cd ');
    expect(out).not.toContain('build');
  });

  it('makes one of the v3 model, in JavaScript only', async () => {
    const { out } = await run('init old --model v3');
    expect(out).toContain('Made the JavaScript app');
    expect(out).not.toContain('npm install');
    const { exitCode, err } = await run('init older --model v3 --language typescript');
    expect({ exitCode, err }).toEqual({
      exitCode: 2,
      err: "There is no language 'typescript'. Choose one of: javascript.\n",
    });
  });

  it('writes nothing when there is an app, and names the file', async () => {
    await folder.write({ 'host.json': 'mine' });
    const { exitCode, err } = await run('init');
    expect(exitCode).toBe(2);
    expect(err).toContain(`'${join(folder.path, 'host.json')}' exists already`);
    await expect(folder.read('package.json')).rejects.toThrow('ENOENT');
  });

  it.each([
    ['init --language cobol', "There is no language 'cobol'."],
    ['init --model v5', "There is no programming model 'v5'. Did you mean 'v4'?"],
    ['init --name Big!', "'Big!' is no name for an app"],
    ['init one two', "'two' is too much"],
  ])('refuses %j', async (line, message) => {
    expect(await run(line)).toMatchObject({ exitCode: 2, err: expect.stringContaining(message) });
  });
});

describe('switchyard new', () => {
  it('adds functions to the app of the folder', async () => {
    await run('init shop --language javascript');
    const app = join(folder.path, 'shop');
    const http = await run('new http --name greet --auth-level function', app);
    expect(http.out).toBe("Made the function 'greet':\n  src/functions/greet.js\nRun it: 'switchyard dev'.\n");
    expect(await folder.read('shop/src/functions/greet.js')).toContain("authLevel: 'function'");
    expect((await run('new queue', app)).out).toContain('AzureWebJobsStorage in local.settings.json was empty');
  });

  it('reminds of the build where there is one', async () => {
    await run('init shop');
    expect((await run('new timer', join(folder.path, 'shop'))).out).toContain(
      "Run it: 'npm run build', then 'switchyard dev'.",
    );
  });

  it.each([
    ['new', 'Triggers:\n  http        answers HTTP requests\n'],
    ['new htp', "There is no trigger 'htp'. Did you mean 'http'? Choose one of: http, timer, queue, blob,"],
    ['new __proto__', "There is no trigger '__proto__'."],
    ['new http --auth-level root', "There is no auth level 'root'. Choose one of: anonymous, function, admin."],
    ['new http', 'is no Node.js function app: it holds no host.json'],
  ])('refuses %j', async (line, message) => {
    expect(await run(line)).toMatchObject({ exitCode: 2, err: expect.stringContaining(message) });
  });
});
