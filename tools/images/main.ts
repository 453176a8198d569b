/**
 * Puts together what the images of Switchyard hold, and builds them where a name is given.
 *
 *     node tools/images/main.ts                        fills deploy/images/out/<image>
 *     node tools/images/main.ts --tag example/name     and builds example/name-<image>, with `docker build`
 *     node tools/images/main.ts worker-node runtime    only these
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { images } from './image-contents.ts';
import { stageImage } from './stage-image.ts';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  options: { tag: { type: 'string' }, base: { type: 'string' }, platform: { type: 'string' } },
  allowPositionals: true,
});

const unknown = positionals.filter((name) => !images.some((image) => image.name === name));
if (unknown.length > 0) {
  console.error(`There is no image '${unknown.join(', ')}'. There are: ${images.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

for (const image of images) {
  if (positionals.length > 0 && !positionals.includes(image.name)) continue;
  const folder = join(repository, 'deploy/images/out', image.name);
  stageImage(image, folder);
  console.log(folder);
  if (values.tag === undefined) continue;
  const { base, platform } = values;
  const words = [
    'build',
    '--tag',
    `${values.tag}-${image.name}`,
    '--file',
    join(repository, `deploy/images/${image.name}.Dockerfile`),
  ];
  if (base !== undefined) words.push('--build-arg', `BASE=${base}`);
  if (platform !== undefined) words.push('--platform', platform);
  words.push(folder);
  const { status } = spawnSync('docker', words, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
