/** Levels of an app's log, from host.json and from settings. */
import { afterEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './app-folder.ts';
import { type DevProcess, startDevProcess } from './dev-process.ts';

let app: AppFolder;
let dev: DevProcess;
afterEach(async () => {
  await dev?.close();
  await app?.close();
});

const source = `import { app } from '@azure/functions';
app.hook.preInvocation((context) => context.invocationContext.debug('before it'));
app.http('says', { authLevel: 'anonymous', handler: (_request, context) => {
  context.debug('a detail');
  context.info('a line');
  context.warn('a warning');
  context.error('the last line');
  return {};
} });
`;

/** What the app has told of one call, in order; the last line of its function is always among it. */
async function said(logLevel: object, environment: Record<string, string>): Promise<readonly string[]> {
  app = await openAppFolder({
    'src/index.js': source,
    'host.json': { version: '2.0', extensions: { http: { routePrefix: '' } }, logging: { logLevel } },
  });
  dev = await startDevProcess({ apps: [app.path], flags: ['--no-azurite'], environment });
  await dev.request('/says');
  await dev.line(/the last line/);
  const known = ['before it', 'a detail', 'a line', 'a warning', 'the last line', 'Executing', 'JobHost changed'];
  const found = dev.lines.flatMap((line) => known.filter((text) => line.includes(text)));
  return [...new Set(found)];
}

describe('levels', () => {
  it('of host.json are for one category, or for all', async () => {
    const levels = { Default: 'error', 'function.says.USER': 'Debug' };
    expect(await said(levels, {})).toEqual(['before it', 'a detail', 'a line', 'a warning', 'the last line']);
  });

  it('of settings win over those of host.json, for one category and for all', async () => {
    const prefix = 'AzureFunctionsJobHost__logging__logLevel__';
    const environment = { [`${prefix}Default`]: 'Warning', [`${prefix}Function.says`]: 'Information' };
    const levels = { default: 'None', 'Function.says': 'Critical' };
    expect(await said(levels, environment)).toEqual(['Executing', 'a line', 'a warning', 'the last line']);
  });

  it('go down to what the host says of itself', async () => {
    const all = await said({ default: 'Debug' }, {});
    expect(all).toEqual(expect.arrayContaining(['JobHost changed', 'Executing', 'before it', 'a detail']));
    expect(dev.output).toMatch(
      /Executing 1 "preInvocation" hooks[\s\S]*before it[\s\S]*Executed "preInvocation" hooks/,
    );
  });
});
