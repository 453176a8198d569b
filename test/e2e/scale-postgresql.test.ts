/** An installation that keeps what its scale controller knows in a real PostgreSQL. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openPostgresql, postgresqlPart, type TestPostgresql } from '@switchyard/testkit/postgresql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpFunction } from './app-folder.ts';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { UpProcess } from './up-process.ts';

const files = {
  'shop/host.json': { version: '2.0' },
  'shop/package.json': { name: 'shop', type: 'module', main: 'work.js', dependencies: { '@azure/functions': '*' } },
  'shop/work.js': httpFunction('work', '"hello"'),
};

describe.skipIf(postgresqlPart.skip)('a scale store in PostgreSQL', () => {
  let server: TestPostgresql;
  let apps: AppFolder;
  let up: UpProcess;
  beforeAll(async () => {
    server = await openPostgresql();
    apps = await openAppFolder();
    up = await UpProcess.start({ environment: { SWITCHYARD_SCALE_STORE_URL: server.address() } });
  });
  afterAll(async () => {
    await up.close();
    await apps.remove();
    await server.close();
  });

  it('keeps limits and quotas over a restart, and nothing in the data folder', { timeout: 120_000 }, async () => {
    await apps.write(files);
    await up.do('deploy', `${apps.path}/shop`);
    await up.do('scale', 'set', 'shop', 'maximum=7');
    await up.do('scale', 'quota', 'default', 'workers=5');
    await up.stop();
    await up.restart();
    expect(await up.do('scale', 'explain', 'shop')).toContain('maximum=7');
    expect(await up.do('scale', 'quota', 'default')).toContain('may have 5 workers together');
    expect(existsSync(join(up.dataFolder, 'scale.sqlite'))).toBe(false);
    expect(up.output).not.toContain(server.address());
  });
});
