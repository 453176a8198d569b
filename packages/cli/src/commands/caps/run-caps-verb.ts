import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { type CapabilityAdministrator, connectAdministrator } from '@switchyard/standalone/capabilities';
import type { CommandContext } from '../../command.ts';
import { count, toSize, toTable } from '../../control/table.ts';
import { untilStopped } from '../../control/until-stopped.ts';
import { exitCodes } from '../../exit-codes.ts';
import { capsErrors } from './errors.ts';
import type { BrokerVerb } from './verbs.ts';

export interface CapsOptions {
  /** `name` or `name@version`; for `add` a file. */
  readonly word: string | undefined;
  readonly weight: number | undefined;
  readonly shards: number | undefined;
  readonly json: boolean;
  readonly directory: string;
}

/** What a verb came to: a value for programs, and the same for people. */
interface Said {
  readonly value: unknown;
  readonly text: string;
}

type Verb = (
  admin: CapabilityAdministrator,
  options: CapsOptions,
  context: Pick<CommandContext, 'workingDirectory'>,
) => Promise<Said>;

const verbs: Readonly<Record<BrokerVerb, Verb>> = {
  ls: async (admin) => {
    const capabilities = await admin.list();
    return { value: { capabilities }, text: describeCapabilities(capabilities) };
  },
  stats: async (admin) => {
    const stats = await admin.stats();
    return { value: stats, text: describeStats(stats) };
  },
  warm: async (admin, { word, shards = 1 }) => {
    const { name, version } = splitWord(word, 'warm <name[@version]>');
    const loaded = await admin.warm(name, version, shards);
    return {
      value: { name, loaded },
      text: `${count(loaded, 'shard')} of ${name} ${loaded === 1 ? 'is' : 'are'} loaded.\n`,
    };
  },
  rollout: async (admin, { word, weight }) => {
    const usage = 'rollout <name@version> --weight PERCENT';
    const { name, version } = splitWord(word, usage);
    if (version === null) throw missing('The version', usage);
    if (weight === undefined) throw missing('The share', usage);
    await admin.rollout(name, version, weight);
    return { value: { name, version, weight }, text: `${weight} % of the accounts get ${name} ${version}.\n` };
  },
  drain: async (admin, { word }) => {
    const { name, version } = splitWord(word, 'drain <name[@version]>');
    const hosts = await admin.drain(name, version);
    return {
      value: { name, hosts },
      text: `${count(hosts, 'host')} of ${name} ${hosts === 1 ? 'drains' : 'drain'}.\n`,
    };
  },
  add: async (admin, { word, weight = 100 }, { workingDirectory }) => {
    if (word === undefined) throw missing('The manifest', 'add <file> [--weight PERCENT]');
    const { manifest, path, entry } = await readManifest(resolve(workingDirectory, word));
    const isElsewhere = typeof manifest.endpoint === 'string';
    const content = isElsewhere
      ? new Uint8Array()
      : await readFile(resolve(dirname(path), entry)).catch((error: unknown) => {
          throw capsErrors.create('CAPS_FILE_INVALID', { path, reason: messageOf(error) }, error);
        });
    const digest = await admin.add(manifest, isElsewhere ? entry : basename(entry), content, weight);
    const text = `${manifest.name} ${manifest.version} is registered for ${weight} % of the accounts.${isElsewhere ? '' : ` sha256 ${digest}`}\n`;
    return { value: { name: manifest.name, version: manifest.version, digest, weight }, text };
  },
  remove: async (admin, { word }) => {
    const { name, version } = splitWord(word, 'remove <name[@version]>');
    const versions = await admin.remove(name, version);
    return { value: { name, versions }, text: `${count(versions, 'version')} of ${name} removed.\n` };
  },
};

/** Runs one verb against the broker of a data folder. */
export function runCapsVerb(verb: BrokerVerb, options: CapsOptions, context: CommandContext): Promise<number> {
  return untilStopped(context, async (signal) => {
    const admin = await connectAdministrator(options.directory);
    signal.addEventListener('abort', () => admin.close(), { once: true });
    try {
      const { value, text } = await verbs[verb](admin, options, context);
      context.stdout.write(options.json ? `${JSON.stringify(value)}\n` : text);
      return exitCodes.done.code;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      admin.close();
    }
  });
}

function splitWord(
  word: string | undefined,
  usage: string,
): { readonly name: string; readonly version: string | null } {
  if (word === undefined || word === '') throw missing('The capability', usage);
  const [name = '', ...rest] = word.split('@');
  return { name, version: rest.length === 0 ? null : rest.join('@') };
}

type Manifest = Parameters<CapabilityAdministrator['add']>[0];

/** The broker checks what the manifest says; here it only has to be one. */
async function readManifest(
  path: string,
): Promise<{ readonly manifest: Manifest; readonly path: string; readonly entry: string }> {
  try {
    const manifest: Manifest = JSON.parse(await readFile(path, 'utf8'));
    if (typeof manifest !== 'object' || manifest === null) throw new Error('it is no JSON object');
    if (typeof manifest.entry !== 'string') throw new Error("it names no file in 'entry'");
    return { manifest, path, entry: manifest.entry };
  } catch (error) {
    throw capsErrors.create('CAPS_FILE_INVALID', { path, reason: messageOf(error) }, error);
  }
}

function describeCapabilities(capabilities: Awaited<ReturnType<CapabilityAdministrator['list']>>): string {
  if (capabilities.length === 0) return 'No capability is registered. Add one: switchyard caps add <file>\n';
  return toTable(
    ['CAPABILITY', 'VERSION', 'TIER', 'KIND', 'ACCOUNTS', 'LOADED', 'LOAD MS', 'NEEDS'],
    capabilities.map((line) => [
      line.name,
      line.version,
      line.tier,
      line.kind,
      `${line.weight} %`,
      `${line.loaded}/${line.shards}`,
      Math.round(line.estimatedLoadMs),
      line.requires.join(' ') || '-',
    ]),
  );
}

function describeStats(stats: Awaited<ReturnType<CapabilityAdministrator['stats']>>): string {
  const { leases, memoryBytes, memoryBudgetBytes, instances } = stats;
  const head = `${count(leases, 'lease')}, ${toSize(memoryBytes)} of ${toSize(memoryBudgetBytes)} in use\n`;
  if (instances.length === 0) return `${head}Nothing is loaded.\n`;
  return `${head}\n${toTable(
    ['SHARD', 'VERSION', 'STATE', 'LEASES', 'MEMORY', 'LOAD MS', 'PID'],
    instances.map((line) => [
      line.shard,
      line.version,
      line.state,
      line.leases,
      toSize(line.memoryBytes),
      line.loadMs === null ? '-' : Math.round(line.loadMs),
      line.pid ?? '-',
    ]),
  )}`;
}

function missing(what: string, usage: string): Error {
  return capsErrors.create('CAPS_ARGUMENT_MISSING', { what, usage });
}
