/** Deployed apps of two tenants and the capabilities of their installation. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { exampleApp } from './dev-process.ts';
import { UpProcess } from './up-process.ts';

const example = exampleApp('capabilities');

/** The example's function and its libraries in one file, as apps are often deployed. */
async function bundleFunction(): Promise<string> {
  const bundle = await rolldown({
    input: join(example, 'src/functions/order.js'),
    platform: 'node',
    external: ['@azure/functions-core'],
    resolve: { conditionNames: ['switchyard-source', 'node'] },
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    tsconfig: false,
  });
  const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
  await bundle.close();
  return output[0].code;
}

describe('switchyard up with capabilities', () => {
  let apps: AppFolder;
  let up: UpProcess;
  beforeEach(async () => {
    apps = await openAppFolder();
    up = await UpProcess.start({ flags: ['--trusted-tenants', '--no-azurite'] });
  });
  afterEach(async () => {
    await up?.close();
    await apps.remove();
  });

  it('gives every worker the broker and the account of its tenant', async () => {
    const code = await bundleFunction();
    for (const [app, tenant] of [
      ['shop', 'contoso'],
      ['store', 'fabrikam'],
    ] as const) {
      await apps.write({
        [`${app}/host.json`]: { version: '2.0' },
        [`${app}/local.settings.json`]: { Values: { FUNCTIONS_WORKER_RUNTIME: 'node' } },
        [`${app}/package.json`]: { name: app, type: 'module', main: 'src/*.js' },
        [`${app}/src/order.js`]: code,
      });
      await up.do('deploy', `${apps.path}/${app}`, '--tenant', tenant);
    }
    for (const name of ['pricing', 'ledger']) await up.do('caps', 'add', join(example, 'capabilities', `${name}.json`));
    const order = async (app: string): Promise<unknown> => JSON.parse((await up.call(app, '/api/order/tea')).text);
    await expect.poll(() => order('shop')).toMatchObject({ number: 1, text: 'Order 1: 1 x tea for 450 cents' });
    expect(await order('shop')).toMatchObject({ number: 2 });
    // Another tenant is another account: it has orders of its own.
    expect(await order('store')).toMatchObject({ number: 1 });
    expect(await up.do('caps', 'ls')).toMatch(/shop\.ledger +1\.0\.0 +3 +process +100 % +[12]\/2/);
  });
});
