import { expect, it } from 'vitest';
import { loadSdk } from './load-sdk.ts';

it('names the package that is to be installed', async () => {
  const load = () => import(/* @vite-ignore */ `${'@azure'}/no-such-package`);
  await expect(loadSdk("The target 'container-apps'", '@azure/no-such-package', load)).rejects.toMatchObject({
    code: 'SDK_MISSING',
    message: expect.stringContaining('npm install @azure/no-such-package'),
  });
});

it('passes on what a package that is there says', async () => {
  const load = async () => {
    throw new TypeError('it is broken');
  };
  await expect(loadSdk('It', 'x', load)).rejects.toThrow(TypeError);
});
