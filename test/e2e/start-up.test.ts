/** The command itself: launcher, help, version. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { exampleApp, runSwitchyard, startDevProcess } from './dev-process.ts';

describe('switchyard', () => {
  it('shows its version on whatever Node starts it, and runs on Node 24 or newer', async () => {
    const result = await runSwitchyard(['version'], 'node');
    expect(result.code).toBe(0);
    const major = Number(/Node\.js (\d+)/.exec(result.output)?.[1]);
    expect(major).toBeGreaterThanOrEqual(24);
  });

  it('explains itself', async () => {
    expect((await runSwitchyard([])).output).toContain('Commands:');
    const help = await runSwitchyard(['dev', '--help']);
    expect(help).toMatchObject({ code: 0, output: expect.stringContaining('--enable-auth') });
    expect(help.output).not.toContain('--examples');
  });

  it('loads the schemas of the control API for none but those commands that speak it', () => {
    const folder = fileURLToPath(new URL('../../packages/cli/dist/bundle/', import.meta.url));
    const loaded = new Set(['main.mjs']);
    for (const file of loaded) {
      const imports = readFileSync(join(folder, file), 'utf8').matchAll(/^(?:import|export)\b[^;]*?"\.\/([^"]+)";/gm);
      for (const [, name = ''] of imports) loaded.add(name);
    }
    expect(loaded.size).toBeGreaterThan(3);
    const isSchema = (file: string): boolean => readFileSync(join(folder, file), 'utf8').includes('ZodError');
    expect(readdirSync(folder).some(isSchema)).toBe(true);
    expect([...loaded].filter(isSchema)).toEqual([]);
  });

  it('loads the large client of Kubernetes for those alone who have a cluster', () => {
    const folder = fileURLToPath(new URL('../../packages/cli/dist/bundle/', import.meta.url));
    const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const named = texts.flatMap((text) => text.match(/^.*"\.\/create-cluster-api\.mjs".*$/gm) ?? []);
    expect(named).toEqual([expect.stringMatching(/await import\("\.\/create-cluster-api\.mjs"\)/)]);
  });

  it('holds a request that comes before the app is ready, and answers it', async () => {
    const dev = await startDevProcess({ apps: [exampleApp('hello-typescript')], waitsUntilReady: false });
    try {
      await dev.port();
      expect((await dev.request('/api/hello/Early')).text).toBe('Hello, Early!');
    } finally {
      await dev.close();
    }
  });

  it('lists command lines to try when it runs the examples, and all of them work', async () => {
    const dev = await startDevProcess({ apps: [], flags: ['--examples', '--no-azurite'] });
    try {
      await dev.line(/^Ready/);
      const lines = dev.lines.filter((line) => line.startsWith('\tcurl '));
      expect(lines.length).toBeGreaterThan(5);
      for (const line of lines) {
        const { hostname, pathname } = new URL(line.split(' ').at(-1) ?? '');
        const answer = await dev.request(pathname, { app: hostname.split('.')[0] ?? '' });
        expect(`${pathname}: ${answer.status}`).toBe(`${pathname}: 200`);
      }
    } finally {
      await dev.close();
    }
  });
});
