import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runSwitchyard } from '../run-switchyard.ts';
import { runInMemory } from '../testing/run-in-memory.ts';
import { tokenCommand } from './token.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(`${tmpdir()}/switchyard-token-`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (...words: readonly string[]) =>
  runInMemory((given, context) => runSwitchyard(given, [tokenCommand], context), ['token', ...words], {
    workingDirectory: folder,
  });

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('switchyard token', () => {
  it('prints a token of a worker, and the key that verifies it', async () => {
    const { out, exitCode } = await run(
      'worker',
      '--keys',
      'k',
      '--worker',
      'w1',
      '--app',
      'shop',
      '--tenant',
      'contoso',
    );
    expect(exitCode).toBe(0);
    expect(claimsOf(out)).toMatchObject({ sub: 'w1', app_id: 'shop', tenant_id: 'contoso', is_placeholder: false });
    const { kid } = JSON.parse(Buffer.from(out.split('.')[0] ?? '', 'base64url').toString());
    const published = await run('jwks', '--keys', 'k');
    expect(JSON.parse(published.out)).toMatchObject({ keys: [{ kid, kty: 'RSA' }] });
    expect(published.out).not.toContain('"d"');
  });

  it('prints the other kinds', async () => {
    expect(claimsOf((await run('placeholder', '--keys', 'k', '--worker', 'w1')).out)).toMatchObject({
      is_placeholder: true,
    });
    expect(claimsOf((await run('assign', '--keys', 'k', '--worker', 'w1')).out)).toMatchObject({
      aud: 'functions-sidecar',
    });
    const control = await run('control', '--keys', 'k', '--scope', 'read', '--scope', 'write');
    expect(claimsOf(control.out)).toMatchObject({ aud: 'switchyard-control' });
  });

  it('prints a control token of one tenant, which sees no other', async () => {
    const { out } = await run('control', '--keys', 'k', '--tenant', 'contoso', '--scope', 'deploy');
    expect(claimsOf(out)).toMatchObject({ tenants: ['contoso'], scope: 'deploy' });
    expect(claimsOf((await run('control', '--keys', 'k')).out)).toMatchObject({ tenants: '*', scope: 'read' });
  });

  it.each([
    [['control', '--keys', 'k', '--scope', 'admin'], "There is no scope 'admin'. Use one of: read, write"],
    [['control', '--keys', 'k', '--tenant', 'A B'], "'A B' is no name of a tenant"],
    [[], 'Name the kind: worker, placeholder, assign, control, jwks.'],
    [['king'], "There is no kind 'king'"],
    [['worker', '--keys', 'k'], 'needs --worker'],
    [['worker', '--keys', 'k', '--worker', 'w1'], 'needs --app'],
  ])('explains what is wrong with %j, and makes no key', async (words, message) => {
    const { exitCode, err, out } = await run(...words);
    expect([exitCode, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });
});
