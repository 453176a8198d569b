/** An installation whose doors are open to another machine: over TLS, with tokens, and to nobody else. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { type RequestOptions, request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import type { RuntimeList } from '@switchyard/protocol/control-api';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AppFolder, openAppFolder } from './command-line.ts';
import { DevProcess, runSwitchyard, testApp } from './dev-process.ts';
import { OtherMachine, requireOtherMachine } from './other-machine.ts';
import { UpProcess } from './up-process.ts';

const namespacePart = requireOtherMachine();

/** Real processes on a busy machine: long enough that only a defect exceeds it. */
const patience = { timeout: 60_000, interval: 250 } as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-doors-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes a certificate and its key, and answers the flags that name them. */
async function makeCertificate(name: string, addresses?: readonly string[], endsAt?: string) {
  const { certificate, key } = createSelfSigned(name, addresses, endsAt);
  const [path, keyPath] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  await Promise.all([writeFile(path, certificate), writeFile(keyPath, key)]);
  return { path, keyPath, flags: ['--tls-certificate', path, '--tls-key', keyPath] };
}

describe('switchyard up refuses', () => {
  const refused = async (...flags: readonly string[]): Promise<string> => {
    const ports = ['--port', '0', '--control-port', '0', '--rpc-port', '0'];
    const { code, output } = await runSwitchyard(['up', '--data-dir', join(folder, 'data'), ...ports, ...flags]);
    expect(code).toBe(2);
    return output;
  };

  it.each(['--control-host', '--rpc-host'])('to take tokens in clear on the network (%s)', async (flag) => {
    expect(await refused(flag, '0.0.0.0')).toMatch(/Tokens would cross the network in clear to '0\.0\.0\.0'/);
  });

  it('certificates that it cannot show, with what is wrong with them', async () => {
    const good = await makeCertificate('good');
    const ended = await makeCertificate('ended', undefined, '20210101000000Z');
    const swapped = ['--tls-certificate', good.path, '--tls-key', ended.keyPath];
    expect(await refused('--control-host', '0.0.0.0', ...ended.flags)).toMatch(
      /ended\.crt'.* is good from 2020.* to 2021.*, and not now/,
    );
    expect(await refused('--control-host', '0.0.0.0', ...swapped)).toMatch(/the key belongs to another certificate/);
    expect(await refused('--https')).toContain('--https needs a certificate');
    expect(await refused('--tls-certificate', good.path)).toMatch(/--tls-certificate is of no use without --tls-key/);
    expect(await refused(...good.flags, '--advertised-host', '10.9.8.7')).toMatch(/is not one for '10\.9\.8\.7'/);
  });
});

describe('switchyard up --worker-kubernetes refuses', () => {
  const refused = async (code: number, ...flags: readonly string[]): Promise<string> => {
    const ports = ['--port', '0', '--control-port', '0', '--rpc-port', '0'];
    const cluster = ['--worker-kubernetes', 'shops', '--worker-image', 'node=worker'];
    const result = await runSwitchyard(['up', '--data-dir', join(folder, 'data'), ...ports, ...cluster, ...flags]);
    expect(result.code).toBe(code);
    return result.output;
  };

  it('doors that no pod finds, and clusters that it cannot reach', async () => {
    const { flags } = await makeCertificate('own');
    const open = ['--control-host', '0.0.0.0', '--rpc-host', '0.0.0.0', ...flags];
    const found = [...open, '--advertised-host', '127.0.0.1'];
    expect(await refused(2)).toContain('cannot reach this one for commands and packages');
    expect(await refused(2, ...open)).toContain('--advertised-host');
    expect(await refused(2, ...found)).toContain('does not run in a cluster');
    expect(await refused(3, ...found, '--kubeconfig', join(folder, 'none'))).toContain('cannot be read');
    const server = 'https://127.0.0.1:1';
    const kubeconfigOf = (user: object): object => ({
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'b', user: 'c' } }],
      clusters: [{ name: 'b', cluster: { server } }],
      users: [{ name: 'c', user }],
    });
    const refusedBy = async (user: object): Promise<string> => {
      await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfigOf(user)));
      return await refused(1, ...found, '--kubeconfig', join(folder, 'kubeconfig'));
    };
    const away = await refusedBy({ token: 'a-token-of-the-cluster' });
    expect(away).toContain(server);
    expect(away).not.toContain('a-token-of-the-cluster');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: 'sh',
      args: ['-c', 'echo log in >&2; exit 4'],
    };
    expect(await refusedBy({ exec })).toContain(
      "the program 'sh', which the kubeconfig names: it ended with 4: log in",
    );
  });
});

describe('switchyard up --https', { timeout: 120_000 }, () => {
  it('has callers speak TLS, while commands of this machine go on', async () => {
    const { flags, path } = await makeCertificate('own');
    const apps = await openAppFolder();
    const up = await UpProcess.start({ flags: ['--https', ...flags] });
    try {
      await apps.write({
        'shop/host.json': { version: '2.0' },
        'shop/package.json': { name: 'shop', type: 'module', main: 'a.js', dependencies: { '@azure/functions': '*' } },
        'shop/a.js': `import { app } from '@azure/functions';
app.http('a', { authLevel: 'anonymous', handler: async (request) => ({ body: request.url }) });`,
      });
      expect(await up.do('deploy', join(apps.path, 'shop'))).toContain('https://shop.localhost:');
      const { port } = new URL(/Apps\s+(https:\S+)/.exec(up.output)?.[1]?.replace('<app>.', '') ?? '');
      const ca = await readFile(path, 'utf8');
      const ask = (more: RequestOptions): Promise<string> =>
        new Promise((resolve, reject) => {
          const options = { host: '127.0.0.1', port, path: '/api/a', headers: { host: `shop.localhost:${port}` } };
          secureRequest({ ...options, servername: 'localhost', ...more }, (answer) => resolve(textOf(answer)))
            .once('error', reject)
            .end();
        });
      expect(await ask({ ca })).toBe(`https://shop.localhost:${port}/api/a`);
      await expect(ask({})).rejects.toThrow('self-signed');
      await expect(up.call('shop', '/api/a')).rejects.toThrow();
      expect(await up.do('invoke', 'shop', 'a')).toContain('/api/a');
    } finally {
      await up.close();
      await apps.remove();
    }
  });
});

describe.skipIf(namespacePart.skip)('another machine', { timeout: 180_000 }, () => {
  let machine: OtherMachine;
  let up: UpProcess;
  let ca: string;
  let apps: AppFolder;
  const others: DevProcess[] = [];

  beforeEach(async () => {
    machine = await OtherMachine.open(78, folder);
    const own = await makeCertificate('installation', [machine.near]);
    const there = await makeCertificate('runtime', [machine.far]);
    ca = own.path;
    apps = await openAppFolder();
    up = await UpProcess.start({
      flags: [
        ...['--control-host', machine.near, '--rpc-host', machine.near, ...own.flags, '--peer-ca', there.path],
        ...['--max-runtimes', '2', '--region', 'south'],
      ],
    });
  });
  afterEach(async () => {
    for (const other of others.splice(0)) await other.close();
    await up?.close();
    await apps.remove();
    machine.close();
  });

  const urlOf = (door: string): string => new RegExp(`${door}\\s+(https:\\S+)`).exec(up.output)?.[1] ?? '';
  const tokenFor = async (...scopes: readonly string[]): Promise<string> => {
    const named = scopes.flatMap((scope) => ['--scope', scope]);
    return (await up.runAlone('token', 'control', '--keys', join(up.dataFolder, 'keys'), ...named)).trim();
  };
  const runThere = async (words: readonly string[], environment: Readonly<Record<string, string>>) => {
    const command = new DevProcess(words, environment, machine.node);
    others.push(command);
    const { code } = await command.exited();
    return { code, output: command.output };
  };
  const joinThere = (token: string, ...flags: readonly string[]): DevProcess => {
    const doors = ['--host', machine.far, '--rpc-host', machine.far, '--port', '0', '--rpc-port', '0'];
    const place = [
      '--control-port',
      '0',
      '--data-dir',
      join(folder, 'there'),
      '--name',
      'north-1',
      '--region',
      'north',
    ];
    const runtime = new DevProcess(
      ['runtime', '--join', urlOf('Workers'), ...doors, ...place, ...flags],
      { SWITCHYARD_JOIN_TOKEN: token },
      machine.node,
    );
    others.push(runtime);
    return runtime;
  };

  it('gives commands with a token, and trusts no certificate that nobody vouches for', async () => {
    const endpoint = ['--endpoint', urlOf('Control API')];
    const SWITCHYARD_TOKEN = await tokenFor('read');
    const trusting = [...endpoint, '--ca-file', ca];
    expect(await runThere(['ps', ...trusting], { SWITCHYARD_TOKEN })).toEqual({ code: 0, output: expect.anything() });
    const stranger = await runThere(['ps', ...trusting], { SWITCHYARD_TOKEN: 'none' });
    expect([stranger.code, stranger.output]).toEqual([1, expect.stringMatching(/token/i)]);
    const deploying = await runThere(['delete', 'shop', '--yes', ...trusting], { SWITCHYARD_TOKEN });
    expect([deploying.code, deploying.output]).toEqual([1, expect.stringContaining("'write'")]);
    const blind = await runThere(['ps', ...endpoint], { SWITCHYARD_TOKEN });
    expect([blind.code, blind.output]).toEqual([1, expect.stringContaining('--ca-file')]);
    // The commands of this machine go their own way.
    expect(await up.do('ps')).toMatch(/APP/i);
  });

  it('joins with a Runtime that serves apps in its region, streams of theirs included', async () => {
    const there = ['--tls-certificate', join(folder, 'runtime.crt'), '--tls-key', join(folder, 'runtime.key')];
    const runtime = joinThere(await tokenFor('deploy', 'secrets'), '--join-ca', ca, ...there);
    await runtime.line(/has joined/);
    const code = await readFile(join(testApp('streaming-echo'), 'index.js'), 'utf8');
    const dependencies = { '@azure/functions': '*' };
    await apps.write({
      'echo/host.json': { version: '2.0' },
      'echo/package.json': { name: 'echo', type: 'module', main: 'index.js', dependencies },
      'echo/index.js': code,
    });
    await up.do('deploy', join(apps.path, 'echo'));
    await up.do('scale', 'set', 'echo', 'region=north');
    const homes = async () =>
      (JSON.parse(await up.do('runtimes', '--json')) as RuntimeList).runtimes
        .filter(({ applications }) => applications.includes('echo'))
        .map(({ id, url }) => [id, url?.startsWith(`https://${machine.far}:`)]);
    await expect.poll(homes, patience).toEqual([['north-1', true]]);
    const { port } = new URL(/Apps\s+(http:\S+)/.exec(up.output)?.[1]?.replace('<app>.', '') ?? '');
    const outgoing = request({
      host: '127.0.0.1',
      port,
      path: '/api/echo',
      method: 'POST',
      headers: { host: 'echo.localhost' },
    });
    outgoing.write('first');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve).once('error', reject);
    });
    const chunks = response[Symbol.asyncIterator]();
    expect([response.statusCode, String((await chunks.next()).value)]).toEqual([200, 'first']);
    outgoing.end('second');
    expect(String((await chunks.next()).value)).toBe('second');
  });

  it('does not join without a token for that, nor to be called in clear', async () => {
    const stranger = joinThere(await tokenFor('read'), '--join-ca', ca, '--allow-clear-tokens');
    expect((await stranger.exited()).code).toBe(2);
    expect(stranger.output).toContain('does not let this Runtime join');
    const open = joinThere(await tokenFor('deploy', 'secrets'), '--join-ca', ca, '--allow-clear-tokens');
    expect((await open.exited()).code).toBe(2);
    expect(open.output).toMatch(/would be reached in clear at 'http:/);
  });
});
