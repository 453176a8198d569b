/** The images of Switchyard, built on a base of this machine's own files, because no registry is needed for that. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestEngine, requireTestEngine, type TestEngine } from '@switchyard/node-agent/testing';
import { requirePart } from '@switchyard/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { images } from '../../tools/images/image-contents.ts';
import { stageImage } from '../../tools/images/stage-image.ts';
import { openWorkerImages, type WorkerImages } from './worker-images.ts';

const { skip: noEngine } = requireTestEngine();
const hasDocker = spawnSync('docker', ['--version']).status === 0;
const { skip: noDocker } = requirePart('the docker command', hasDocker, 'Install it: apt-get install docker.io');

/** A word that stands in the code of the Runtime, and of nothing else. */
const runtimeMark = 'JobHostManager';

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

describe('what images hold', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'switchyard-images-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(images)('$name: workers come without the Runtime, and services with what they load', (image) => {
    const place = join(folder, image.name);
    stageImage(image, place);
    const files = filesIn(place);
    const hasRuntime = files.some((path) => /\.m?js$/.test(path) && readFileSync(path, 'utf8').includes(runtimeMark));
    expect(hasRuntime).toBe(image.bundle === 'bundle');
    const descriptions = files.filter((path) => path.endsWith('worker.config.json'));
    expect(descriptions).toHaveLength(image.workers.length);
    for (const name of image.packages) {
      expect(files).toContain(join(place, 'app/node_modules', name, 'package.json'));
    }
    const { status, stdout } = spawnSync(process.execPath, [join(place, 'app/bundle/main.mjs'), 'help'], {
      encoding: 'utf8',
      env: {},
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('sidecar')]);
  });
});

describe.skipIf(noEngine || noDocker)('images of workers', () => {
  let engine: TestEngine;
  let built: WorkerImages;
  beforeAll(async () => {
    engine = await openTestEngine();
    built = openWorkerImages(engine);
  });
  afterAll(async () => {
    built.close();
    await engine.close();
  });

  it.each(['worker-node', 'worker-custom'])('%s: builds, and its sidecar warms a placeholder', async (name) => {
    built.build(name);
    const runtime = name.replace('worker-', '');
    // The container shares the ports of this machine, where 50051 may be another one's.
    const settings = ['--env', `FUNCTIONS_WORKER_RUNTIME=${runtime}`, '--env', 'SIDECAR_PORT=0'];
    const container = built.docker('create', '--network', 'host', ...settings, name, 'sidecar', '--json').trim();
    const output = followLog(container);
    try {
      const url = await output.url;
      // A placeholder that waits for its app is healthy, and ready for one.
      await expect.poll(async () => (await fetch(`${url}/ready`)).status, { timeout: 20_000 }).toBe(200);
      expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'Healthy' });
    } finally {
      built.docker('rm', '--force', container);
      output.end();
    }
  });

  /** Starts the container and reads its lines until one says where it listens. */
  function followLog(container: string) {
    const words = ['--host', `unix://${engine.socketPath}`, 'start', '--attach', container];
    const child = spawn('docker', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    const url = new Promise<string>((resolve, reject) => {
      const look = (chunk: Buffer): void => {
        text += chunk.toString();
        const found = /"url":"(http:[^"]+)"/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('exit', () => reject(new Error(`the container ended: ${text}`)));
    });
    return { url, end: () => child.kill() };
  }
});
