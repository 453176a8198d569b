/** The hosts in Python and C#: the contract suite that the Node.js hosts pass, and what a socket brings with it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HostConnection, openProcessHost } from '@switchyard/capability-broker';
import { LineTransport, openSession, type RpcTarget } from '@switchyard/capabilities';
import { silentLog } from '@switchyard/kernel';
import { requirePart } from '@switchyard/testkit';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  hostContractSuite,
  openOrder,
  probeOrder,
} from '../../../capability-broker/src/hosts/testing/host-contract-suite.ts';

/** A host in another language, ready to be started. */
interface ForeignHost {
  readonly title: string;
  readonly language: string;
  readonly kind: string;
  readonly skip: boolean;
  /** The probe's file, from the broker's fixtures. */
  readonly probe: string;
  readonly executable: string;
  readonly parameters: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'foreign-'));
const hosts = fileURLToPath(new URL('../../hosts', import.meta.url));
/** The suite looks for probes from here. */
const fixtures = fileURLToPath(new URL('../../../capability-broker/fixtures', import.meta.url));

afterAll(() => rmSync(folder, { recursive: true }));

function works(command: string, parameter = '--version'): boolean {
  return spawnSync(command, [parameter]).status === 0;
}

const python = ['/usr/bin/python3', 'python3'].find((command) => works(command));

const mono = works('mono') && works('mcs');

/** Compiles the C# host and its probe with Mono's compiler; the probe stands in a folder without the abstractions. */
function compileWithMono(): void {
  const source = (name: string): string => join(hosts, 'csharp', `${name}.cs`);
  const compile = (output: string, names: readonly string[], ...flags: readonly string[]): void => {
    const parameters = [...flags, `-out:${join(folder, output)}`, ...names.map(source)];
    const { status, stdout, stderr } = spawnSync('mcs', ['-warnaserror', ...parameters], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`mcs failed: ${stdout}${stderr}`);
  };
  const abstractions = `-r:${join(folder, 'Switchyard.Capabilities.dll')}`;
  compile('Switchyard.Capabilities.dll', ['Abstractions'], '-target:library');
  const parts = ['Json', 'Wire', 'Answer', 'Session', 'CapabilityRunner', 'LoadContext', 'LoadedCapability', 'Host'];
  compile('capability-host.exe', [...parts, 'Program'], '-unsafe', abstractions, '-r:System.Numerics.dll');
  mkdirSync(join(folder, 'probe'));
  compile(join('probe', 'probe.dll'), ['Probe'], '-target:library', abstractions);
}

if (mono) compileWithMono();

const foreignHosts: readonly ForeignHost[] = [
  {
    ...{ title: 'Python host', language: 'python', kind: 'python', executable: python ?? '' },
    skip: requirePart('Python 3', python !== undefined, "Install Debian's package python3.").skip,
    probe: relative(fixtures, join(hosts, 'python', 'probe.py')),
    parameters: ['-E', '-s', '-B', join(hosts, 'python', 'switchyard_capability_host')],
  },
  {
    ...{ title: 'C# host on Mono', language: 'csharp', kind: 'process', executable: 'mono' },
    skip: requirePart('Mono', mono, "Install Debian's packages mono-runtime and mono-mcs.").skip,
    probe: relative(fixtures, join(folder, 'probe', 'probe.dll')),
    parameters: [join(folder, 'capability-host.exe')],
  },
];

for (const { title, kind, skip, probe, executable, parameters } of foreignHosts) {
  const options = { shard: 'probe:shard-0', executable, parameters, environment: { PATH: process.env.PATH ?? '' } };
  const open = (): HostConnection => openProcessHost({ log: silentLog }, options);
  hostContractSuite({ title, probe, kind, skip, inProcess: false, open });
}

/** What the direct route of a host offers, and its targets. */
interface Gate extends RpcTarget {
  redeem(ticket: string): Target;
}

interface Target extends RpcTarget {
  invoke(method: string, parameters: readonly unknown[], options?: object): unknown;
}

const lost = { maxLineBytes: 1_000_000, lost: (detail: string) => new Error(`lost: ${detail}`) };

describe.each(foreignHosts)('$title on its socket', ({ language, kind, skip, probe, executable, parameters }) => {
  const skipped = test.skipIf(skip);
  const sockets: Socket[] = [];
  let connection: HostConnection;
  let path: string;
  let serial = 0;
  const order = probeOrder({ entry: join(fixtures, probe), kind });

  beforeEach(async () => {
    if (skip) return;
    const environment = { PATH: process.env.PATH ?? '' };
    connection = openProcessHost({ log: silentLog }, { shard: 'probe:shard-0', executable, parameters, environment });
    serial += 1;
    path = join(folder, `${language}-${serial}.sock`);
    await connection.host.load(order);
  });

  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await connection?.kill();
  });

  const gate = () => {
    const socket = connect(path);
    sockets.push(socket);
    return openSession<Gate>(new LineTransport(socket, lost)).main;
  };

  /** Sends raw lines to the socket and gives what comes back until the host closes it, or said so many lines. */
  const raw = (content: string | Buffer, lines = Number.POSITIVE_INFINITY): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(path, () => socket.write(content));
      sockets.push(socket);
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString('utf8');
        if (answer.split('\n').length > lines) resolve(answer);
      });
      socket.on('error', () => resolve(answer));
      socket.on('close', () => resolve(answer));
    });

  skipped('says which language it is', async () => {
    expect(await connection.host.describe()).toMatchObject({ contract: 1, language, pid: connection.pid });
  });

  skipped('answers directly on a Unix socket to whoever has the ticket', async () => {
    await connection.host.listen(path);
    await connection.host.open(openOrder('lease-1', 'ann', 'ticket-1'), {});
    const target = await gate().redeem('ticket-1');
    expect(await target.invoke('account', [])).toBe('ann');
    expect(await target.invoke('echo', [{ a: [1, 'x', null] }])).toEqual({ a: [1, 'x', null] });
    for (const wrong of ['', 'ticket-2', '__class__'])
      await expect(Promise.resolve(gate().redeem(wrong))).rejects.toMatchObject({ code: 'RELEASED' });
    await connection.host.end('lease-1');
    await expect(Promise.resolve(target.invoke('echo', [1]))).rejects.toMatchObject({ code: 'RELEASED' });
    await expect(Promise.resolve(gate().redeem('ticket-1'))).rejects.toMatchObject({ code: 'RELEASED' });
  });

  skipped('does what was sent before its target was there', async () => {
    await connection.host.listen(path);
    await connection.host.open(openOrder('lease-1', 'ann', 'ticket-1'), {});
    const target = gate().redeem('ticket-1');
    const first = target.invoke('add', [1, 2]);
    expect(await target.invoke('add', [first, 10])).toBe(13);
  });

  skipped('a peer that breaks the rules ends its own session only', async () => {
    await connection.host.listen(path);
    await connection.host.open(openOrder('lease-1', 'ann', 'ticket-1'), {});
    const good = await gate().redeem('ticket-1');
    const deep = `["push",["pipeline",0,["redeem"],[${'['.repeat(5_000)}${']'.repeat(5_000)}]]]`;
    const rubbish = ['no json at all', '{}', '[]', '["sing"]', '["pull",77]', '["release",0,-5,[]]', deep, '["push"]'];
    for (const line of rubbish) expect(await raw(`${line}\n`)).toMatch(/^\["abort"|^$/);
    expect(await good.invoke('echo', ['still there'])).toBe('still there');
  });

  skipped('a peer cannot call what it was not given', async () => {
    await connection.host.listen(path);
    const names = ['load', 'stats', '__class__', '_tickets', 'constructor', 'ToString', 'GetType', '__init__'];
    const lines = names.flatMap((name, index) => [`["push",["pipeline",0,["${name}"],[]]]`, `["pull",${index + 1}]`]);
    const answer = await raw(`${lines.join('\n')}\n`, names.length);
    const codes = [...answer.matchAll(/"reject",(\d+),.*?"code":"(\w+)"/g)].map(([, id, code]) => `${id} ${code}`);
    expect(codes.sort()).toEqual(names.map((_name, index) => `${index + 1} METHOD_NOT_FOUND`));
  });

  skipped('a message beyond the limit ends its session before it is held', async () => {
    await connection.host.listen(path);
    const before = (await connection.host.stats()).memoryBytes;
    expect(await raw(Buffer.alloc(17 * 1024 * 1024, 'x'))).toMatch(/^\["abort"|^$/);
    expect(await connection.host.ping()).toBe(true);
    expect((await connection.host.stats()).memoryBytes - before).toBeLessThan(120 * 1024 * 1024);
  });

  skipped('loads and unloads again and again, and its memory stays flat', async () => {
    const cycle = async (index: number): Promise<string> => {
      const key = `probe@1.0.${index}`;
      await connection.host.load({ ...order, key });
      const target = await connection.host.open({ ...openOrder(`cycle-${index}`), key }, {});
      await target.invoke('hold', [1_000_000]);
      return (await connection.host.unload(key)).outcome;
    };
    const outcomes = new Set<string>();
    for (let index = 0; index < 10; index += 1) outcomes.add(await cycle(index));
    const before = (await connection.host.stats()).memoryBytes;
    for (let index = 10; index < 40; index += 1) outcomes.add(await cycle(index));
    expect([...outcomes]).toEqual(['unloaded']);
    expect((await connection.host.stats()).memoryBytes - before).toBeLessThan(15_000_000);
  });
});
