import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokerSocket, socketFolderPrefix, sweepSocketFolders } from './sweep-socket-folders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const make = (name: string): string => {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
};

/** Looks as if it were later. */
const sweep = (afterMs = 120_000) => sweepSocketFolders(folder, { now: () => Date.now() + afterMs });

describe('sweepSocketFolders', () => {
  it('removes what a broker that was killed has left, with and without its socket', async () => {
    const [dead, empty] = [make(`${socketFolderPrefix}dead`), make(`${socketFolderPrefix}empty`)];
    const script = `require('net').createServer().listen(process.argv[1], () => console.log('up'))`;
    const broker = spawn(process.execPath, ['-e', script, join(dead, brokerSocket)]);
    await once(broker.stdout, 'data');
    expect(await sweep()).toEqual([empty]);
    broker.kill('SIGKILL');
    await once(broker, 'exit');
    expect(existsSync(join(dead, brokerSocket))).toBe(true);
    expect(await sweep()).toEqual([dead]);
    expect(existsSync(dead)).toBe(false);
  });

  it('leaves those that are in use, new, or no folder of a broker', async () => {
    const used = make(`${socketFolderPrefix}used`);
    const server = createServer().listen(join(used, brokerSocket));
    await once(server, 'listening');
    make('switchyard-up');
    writeFileSync(join(folder, `${socketFolderPrefix}file`), '');
    make(`${socketFolderPrefix}new`);
    expect(await sweep(0)).toEqual([]);
    rmSync(join(folder, `${socketFolderPrefix}new`), { recursive: true });
    expect(await sweep()).toEqual([]);
    server.close();
    await once(server, 'close');
  });

  it('does nothing where there is no folder', async () => {
    expect(await sweepSocketFolders(join(folder, 'missing'), { now: () => Date.now() })).toEqual([]);
  });
});
