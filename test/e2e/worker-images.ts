/** Images of workers, built on a base of this machine's own files, because no registry is needed for that. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestEngine } from '@switchyard/node-agent/testing';
import { images } from '../../tools/images/image-contents.ts';
import { stageImage } from '../../tools/images/stage-image.ts';

const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const base = 'switchyard-test-base';

export interface WorkerImages {
  /** Runs a command of docker on the engine; throws with what it said when it fails. */
  docker(...words: readonly string[]): string;
  /** Builds an image of `deploy/images` under its own name. */
  build(name: string): void;
  close(): void;
}

/** Imports the base. Ownership: the test opens it and closes it; images stay with the engine. */
export function openWorkerImages(engine: TestEngine): WorkerImages {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-images-'));
  const docker = (...words: readonly string[]): string => {
    const given = ['--host', `unix://${engine.socketPath}`, ...words];
    const { status, stdout, stderr } = spawnSync('docker', given, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH ?? '', HOME: folder, DOCKER_BUILDKIT: '0' },
    });
    if (status !== 0) throw new Error(`docker ${words.join(' ')} failed: ${stderr}`);
    return stdout;
  };
  docker('import', '--change', 'ENV PATH=/usr/bin', packBase(folder), base);
  return {
    docker,
    build(name) {
      const image = images.find((one) => one.name === name);
      if (image === undefined) throw new Error(`there is no image ${name}`);
      const context = join(folder, name);
      stageImage(image, context);
      const file = join(repository, 'deploy/images', `${name}.Dockerfile`);
      docker('build', '--network', 'none', '--build-arg', `BASE=${base}`, '--file', file, '--tag', name, context);
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

/** Node.js of this machine with the libraries that it is linked to, and nothing else. */
function packBase(folder: string): string {
  const root = join(folder, 'base');
  const { stdout } = spawnSync('ldd', [process.execPath], { encoding: 'utf8' });
  const libraries = [...stdout.matchAll(/(?:=> )?(\/[^\s]+) \(0x/g)].map(([, path = '']) => path);
  for (const path of [process.execPath, ...libraries]) {
    const target = path === process.execPath ? join(root, 'usr/bin/node') : join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
  mkdirSync(join(root, 'tmp'), { mode: 0o777 });
  const tar = join(folder, 'base.tar');
  spawnSync('tar', ['-C', root, '--mode=a+rwX', '-cf', tar, '.']);
  return tar;
}
