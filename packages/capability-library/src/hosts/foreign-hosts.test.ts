/** The hosts in Python and C#: the contract suite that the Node.js hosts pass, and what a socket brings with it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LineTransport, openSession, RpcTarget } from '@switchyard/capabilities';
import { type HostConnection, openProcessHost } from '@switchyard/capability-broker';
import { silentLog } from '@switchyard/kernel';
import { requirePart } from '@switchyard/testkit';
import fc from 'fast-check';
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
  /** How often the test of memory loads and unloads; an application domain of Mono takes a tenth of a second. */
  readonly cycles: number;
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

/** The two types of .NET that Mono lacks, as far as the host uses them. */
const dotnetStandIns = `
namespace System.Runtime.Loader {
  public class AssemblyLoadContext {
    public AssemblyLoadContext(string name, bool isCollectible) { }
    protected virtual System.Reflection.Assembly Load(System.Reflection.AssemblyName name) { return null; }
    public System.Reflection.Assembly LoadFromStream(System.IO.Stream code) { return null; }
    public System.Reflection.Assembly LoadFromAssemblyPath(string path) { return null; }
    public void Unload() { }
  }
  public class AssemblyDependencyResolver {
    public AssemblyDependencyResolver(string path) { }
    public string ResolveAssemblyToPath(System.Reflection.AssemblyName name) { return null; }
  }
}`;

/** Compiles C# with Mono; returns what the compiler has to say, an empty text when all is well. */
function compile(output: string, files: readonly string[], ...flags: readonly string[]): string {
  const parameters = ['-warnaserror', ...flags, `-out:${join(folder, output)}`, ...files];
  const { status, stdout, stderr } = spawnSync('mcs', parameters, { encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
}

const csharp = (name: string): string => join(hosts, 'csharp', `${name}.cs`);
const abstractions = `-r:${join(folder, 'Switchyard.Capabilities.dll')}`;
const hostParts =
  'Json Decimals Wire Answer Threads Session Spans CapabilityRunner LoadContext LoadedCapability Host Program'
    .split(' ')
    .map(csharp);
const hostFlags = ['-unsafe', abstractions, '-r:System.Numerics.dll'];

/** The C# host and its probe; the probe stands in a folder without the abstractions. */
function compileWithMono(): void {
  mkdirSync(join(folder, 'probe'));
  const messages = [
    compile('Switchyard.Capabilities.dll', [csharp('Abstractions')], '-target:library'),
    compile('capability-host.exe', hostParts, ...hostFlags),
    compile(join('probe', 'probe.dll'), [csharp('Probe')], '-target:library', abstractions),
  ].filter((message) => message !== '');
  if (messages.length > 0) throw new Error(`mcs failed: ${messages.join()}`);
}

if (mono) compileWithMono();

const foreignHosts: readonly ForeignHost[] = [
  {
    ...{ title: 'Python host', language: 'python', kind: 'python', executable: python ?? '' },
    skip: requirePart('Python 3', python !== undefined, "Install Debian's package python3.").skip,
    probe: relative(fixtures, join(hosts, 'python', 'probe.py')),
    parameters: ['-E', '-s', '-B', join(hosts, 'python', 'switchyard_capability_host')],
    cycles: 500,
  },
  {
    ...{ title: 'C# host on Mono', language: 'csharp', kind: 'csharp', executable: 'mono' },
    skip: requirePart('Mono', mono, "Install Debian's packages mono-runtime and mono-mcs.").skip,
    probe: relative(fixtures, join(folder, 'probe', 'probe.dll')),
    parameters: [join(folder, 'capability-host.exe')],
    cycles: 40,
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

describe.each(foreignHosts)(
  '$title on its socket',
  ({ language, kind, skip, probe, executable, parameters, cycles }) => {
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

    skipped('a call of a sampled trace is a span, which calls of dependencies continue', async () => {
      const traceparents: unknown[] = [];
      class Listener extends RpcTarget {
        invoke(_method: string, _parameters: readonly unknown[], options?: { readonly traceparent?: string }): null {
          traceparents.push(options?.traceparent);
          return null;
        }
      }
      const target = await connection.host.open(openOrder('lease-1'), { neighbour: new Listener() });
      const [trace, parent] = ['a'.repeat(32), 'b'.repeat(16)];
      const traceparent = `00-${trace}-${parent}-01`;
      await target.invoke('ask', ['neighbour', 'x', []], { traceparent });
      await Promise.resolve(target.invoke('fail', ['x'], { traceparent })).catch(() => {});
      await target.invoke('echo', [1], { traceparent: `00-${trace}-${parent}-00` });
      const { spans = [] } = await connection.host.stats();
      const asked = spans.find(({ name }) => name === 'probe.ask');
      expect(spans.map(({ name, error }) => [name, error])).toEqual([
        ['probe.ask', ''],
        ['probe.fail', 'CAPABILITY_FAILED'],
      ]);
      expect(asked).toMatchObject({ traceId: trace, parentSpanId: parent, durationMs: expect.any(Number) });
      expect(asked?.startMs).toBeGreaterThan(Date.UTC(2020, 0));
      expect(traceparents).toEqual([`00-${trace}-${asked?.spanId}-01`]);
      expect((await connection.host.stats()).spans).toEqual([]);
    });

    skipped('whatever data comes goes back as it is', async () => {
      const target = await connection.host.open(openOrder('lease-1'), {});
      const echo = async (value: unknown): Promise<unknown> => target.invoke('echo', [value]);
      // Between Mono's domains, half a character becomes a replacement character.
      const halfCharacter = language === 'csharp' ? '' : '\ud800';
      const leaf = fc.oneof(
        ...[fc.constant(null), fc.boolean(), fc.integer(), fc.maxSafeInteger(), fc.bigInt()],
        ...[fc.string({ unit: 'binary' }), fc.constantFrom(halfCharacter, '\u2028"\\', '')],
        // The protocol itself does not tell -0 from 0.
        fc.double().map((value) => value + 0),
        fc.date({ min: new Date('1000-01-01'), max: new Date('9999-01-01'), noInvalidDate: true }),
      );
      // Without backslashes: once JSON.parse of Node.js 24.21 has seen the key '\\', it takes other escaped keys in that place for it.
      const keyUnit = fc.constantFrom('a', 'é', '"', '\n', ' ', '0');
      const { value } = fc.letrec((tie) => ({
        value: fc.oneof(
          { depthSize: 'small', withCrossShrink: true },
          leaf,
          fc.array(tie('value'), { maxLength: 5 }),
          fc.dictionary(fc.string({ unit: keyUnit }), tie('value'), {
            maxKeys: 5,
            noNullPrototype: true,
          }),
        ),
      }));
      await fc.assert(
        fc.asyncProperty(value, async (sent) => {
          expect(await echo(sent)).toEqual(sent);
        }),
        { numRuns: 300 },
      );
      for (const large of [1e17, -1e17, 2 ** 53, 1e21, 5e-324, Number.MAX_VALUE]) expect(await echo(large)).toBe(large);
      await expect(echo(new Date(8.64e15))).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
      expect(await echo('and goes on')).toBe('and goes on');
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
      const rubbish = [
        'no json at all',
        '{}',
        '[]',
        '["sing"]',
        '["pull",77]',
        '["release",0,-5,[]]',
        deep,
        '["push"]',
      ];
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
      for (let index = 10; index < cycles; index += 1) outcomes.add(await cycle(index));
      expect([...outcomes]).toEqual(['unloaded']);
      expect((await connection.host.stats()).memoryBytes - before).toBeLessThan(15_000_000);
    });
  },
);

describe.skipIf(python === undefined)('Python', () => {
  test.each([
    ['keeps its function', 'sys.kept = create'],
    ['leaves a thread behind', 'threading.Thread(target=wait, daemon=True).start()'],
  ])('a capability that %s is reported as leaked', async (_title, leak) => {
    const entry = join(folder, 'leaking.py');
    writeFileSync(
      entry,
      `import sys, threading\n\nclass Instance:\n    methods = {}\n\ndef wait():\n    threading.Event().wait()\n\ndef create(settings):\n    ${leak}\n    return Instance()\n`,
    );
    const parameters = foreignHosts[0]?.parameters ?? [];
    const environment = { PATH: process.env.PATH ?? '' };
    const options = { shard: 's', executable: python ?? '', parameters, environment };
    const connection = openProcessHost({ log: silentLog }, options);
    await connection.host.load(probeOrder({ entry, kind: 'python' }));
    expect(await connection.host.unload('probe@1.0.0')).toMatchObject({ outcome: 'leaked' });
    await connection.kill();
  });
});

describe.skipIf(!mono)('C#', () => {
  test('the half for .NET compiles too, against stand-ins for the two types that Mono lacks', () => {
    const standIns = join(folder, 'stand-ins.cs');
    writeFileSync(standIns, dotnetStandIns);
    expect(compile('dotnet.exe', [...hostParts, standIns], '-define:NETCOREAPP', ...hostFlags)).toBe('');
  });
});
