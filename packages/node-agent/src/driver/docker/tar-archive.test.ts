import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { packTar } from './tar-archive.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchyard-tar-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('packTar', () => {
  it('writes what tar reads: files, folders, links, modes and long names', () => {
    const long = `deep/${'n'.repeat(150)}ü.txt`;
    const archive = packTar([
      { path: 'deep/' },
      { path: 'deep/empty' },
      { path: 'run.sh', content: Buffer.from('#!/bin/sh\n'), mode: 0o755 },
      { path: long, content: Buffer.alloc(1_025, 'z') },
      { path: 'link', linkTo: 'run.sh' },
    ]);
    const { status, stderr } = spawnSync('tar', ['-xf', '-', '-C', folder], { input: archive });
    expect([status, stderr.toString()]).toEqual([0, '']);
    expect(statSync(join(folder, 'deep')).isDirectory()).toBe(true);
    expect(statSync(join(folder, 'deep/empty')).size).toBe(0);
    expect(statSync(join(folder, 'run.sh')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(folder, long), 'utf8')).toBe('z'.repeat(1_025));
    expect(readlinkSync(join(folder, 'link'))).toBe('run.sh');
  });

  it('gives the same bytes for the same entries', () => {
    const entries = [{ path: 'a', content: Buffer.from('1') }];
    expect(packTar(entries)).toEqual(packTar(entries));
    expect(packTar([]).length).toBe(1_024);
  });
});
