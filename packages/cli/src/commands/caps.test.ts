import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningCommand, runCommandLine, startCommand } from '../testing/run-control.ts';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';

let folder: TestFolder;
let serving: RunningCommand | undefined;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(async () => {
  serving?.stop();
  await serving?.outcome;
  serving = undefined;
  await folder.remove();
});

/** A capability that is trusted, so that no host program is needed. */
const code = 'exports.create = () => ({ methods: { hello: () => "hello" } });';

async function serve(...words: readonly string[]): Promise<void> {
  const context = { workingDirectory: folder.path, environment: { PATH: '/bin', SECRET: 'x' } };
  serving = startCommand(['caps', 'serve', '--data-dir', folder.path, ...words], context);
  await serving.printed('SWITCHYARD_CAPABILITIES_TOKEN');
}

async function caps(...words: readonly string[]) {
  return runCommandLine(['caps', ...words, '--data-dir', folder.path], { workingDirectory: folder.path });
}

async function addVersion(version: string, ...words: readonly string[]) {
  await writeFile(join(folder.path, 'hello.cjs'), code);
  const manifest = { name: 'hello', version, tier: 2, kind: 'in-process', entry: 'hello.cjs' };
  await writeFile(join(folder.path, 'manifest.json'), JSON.stringify(manifest));
  return caps('add', 'manifest.json', ...words);
}

describe('switchyard caps', () => {
  it('adds, lists, warms, rolls out, counts, drains and removes', async () => {
    await serve();
    expect(await addVersion('1.0.0')).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^hello 1\.0\.0 is registered for 100 % of the accounts\. sha256 [0-9a-f]{64}\n$/),
    });
    await addVersion('2.0.0', '--weight', '0');
    const hello = async (): Promise<unknown> =>
      JSON.parse((await caps('ls', '--json')).out).capabilities.filter(
        ({ name }: { readonly name: string }) => name === 'hello',
      );
    expect(await hello()).toMatchObject([
      { version: '2.0.0', weight: 0, loaded: 0 },
      { version: '1.0.0', weight: 100, loaded: 0 },
    ]);
    expect((await caps('warm', 'hello@1.0.0')).out).toBe('1 shard of hello is loaded.\n');
    expect((await caps('rollout', 'hello@2.0.0', '--weight', '10')).out).toBe(
      '10 % of the accounts get hello 2.0.0.\n',
    );
    expect((await caps('ls')).out).toMatch(/hello +2\.0\.0 +2 +in-process +10 % +1\/1 +\d+ +-\n/);
    expect((await caps('stats')).out).toMatch(
      /^0 leases, .* of 1\.1 GB in use\n\nSHARD .*\n(?:hello:shard-0 +[12]\.0\.0 +warm +0 .*\n){2}$/,
    );
    expect((await caps('drain', 'hello')).out).toBe('2 hosts of hello drain.\n');
    // Hosts that drain are unloaded in their own time.
    const stats = async (): Promise<unknown> => JSON.parse((await caps('stats', '--json')).out);
    await expect.poll(stats, { timeout: 10_000 }).toMatchObject({ instances: [], leases: 0 });
    expect((await caps('remove', 'hello')).out).toBe('2 versions of hello removed.\n');
    expect(await hello()).toEqual([]);
  });

  it('prints what the code of an account needs, and where WebSockets are accepted', async () => {
    await serve('--account', 'contoso', '--port', '0', '--memory-mb', '64');
    serving?.stop();
    const { exitCode, out } = (await serving?.outcome) ?? {};
    expect(exitCode).toBe(0);
    expect(out).toMatch(/WebSocket {2}ws:\/\/127\.0\.0\.1:\d+\n/);
    expect(out).toMatch(
      /Variables of account 'contoso':\nSWITCHYARD_CAPABILITIES_ENDPOINT=unix:\S+\nSWITCHYARD_CAPABILITIES_TOKEN=\S+\n$/,
    );
  });

  it('prints that as one object of JSON where programs read', async () => {
    await serve('--json');
    serving?.stop();
    const { out = '' } = (await serving?.outcome) ?? {};
    expect(JSON.parse(out)).toEqual({
      account: 'local',
      variables: {
        SWITCHYARD_CAPABILITIES_ENDPOINT: expect.stringMatching(/^unix:/),
        SWITCHYARD_CAPABILITIES_TOKEN: expect.any(String),
      },
    });
  });

  it('runs hosts for a broker elsewhere, which registers what they have', async () => {
    const context = { workingDirectory: folder.path, environment: { SWITCHYARD_HOST_TOKEN: 'x'.repeat(16) } };
    const hosts = startCommand(['caps', 'host', '--port', '0'], context);
    await hosts.printed('Hosts of capabilities run here, for brokers that name ws://127.0.0.1:');
    const second = startCommand(['caps', 'host', '--port', '0', '--json'], context);
    await second.printed('"}');
    second.stop();
    expect(JSON.parse((await second.outcome).out)).toEqual({ url: expect.stringMatching(/^ws:\/\/127\.0\.0\.1:\d+/) });
    hosts.stop();
    expect((await hosts.outcome).exitCode).toBe(0);
    const short = await runCommandLine(['caps', 'host'], { environment: { SWITCHYARD_HOST_TOKEN: 'short' } });
    expect(short).toMatchObject({ exitCode: 2, err: expect.stringContaining('at least 16 characters') });
    await serve();
    const manifest = { name: 'far', version: '1.0.0', tier: 3, kind: 'process', entry: '/srv/far.cjs' };
    await writeFile(join(folder.path, 'far.json'), JSON.stringify({ ...manifest, endpoint: 'ws://127.0.0.1:1' }));
    expect((await caps('add', 'far.json')).out).toBe('far 1.0.0 is registered for 100 % of the accounts.\n');
    await writeFile(join(folder.path, 'far.json'), JSON.stringify({ ...manifest, endpoint: 'http://a' }));
    expect((await caps('add', 'far.json')).err).toContain('is no ws:// or wss:// address');
  });

  it('says what is missing, wrong or not there', async () => {
    expect(await caps('ls')).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/^No capability broker runs here: '.*capabilities\.json' .*: it is not there\. Start/),
    });
    expect(await caps()).toMatchObject({
      exitCode: 2,
      err: expect.stringMatching(/^What to do is missing: .*<ls\|stats/),
    });
    expect(await caps('fly')).toMatchObject({ exitCode: 2, err: expect.stringContaining('It knows: ls, stats, warm') });
    await serve();
    for (const [words, text] of [
      [['warm'], 'The capability is missing: switchyard caps warm <name[@version]>'],
      [['rollout', 'hello', '--weight', '1'], 'The version is missing'],
      [['rollout', 'hello@1.0.0'], 'The share is missing'],
      [['add'], 'The manifest is missing'],
      [['add', 'nothing.json'], 'is no manifest of a capability'],
      [['warm', 'nothing'], "There is no capability 'nothing'"],
    ] as const)
      expect(await caps(...words)).toMatchObject({ exitCode: 2, out: '', err: expect.stringContaining(text) });
    await writeFile(
      join(folder.path, 'bad.json'),
      '{"name": "UPPER", "version": "1.0.0", "tier": 2, "kind": "thread", "entry": "bad.json"}',
    );
    expect(await caps('add', 'bad.json')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("'UPPER' is no name"),
    });
  });
});
