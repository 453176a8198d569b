import {
  type CapabilityKind,
  type CapabilityManifest,
  type CapabilityModule,
  capabilityErrors,
  type HostConnection,
  openInProcessHost,
  openProcessHost,
  openRemoteHost,
  openThreadHost,
} from '@switchyard/capability-broker';
import { type Clock, type Log, type Secret, systemRandom } from '@switchyard/kernel';

/** A program that speaks the host contract on stdio. */
export interface HostProgram {
  readonly executable: string;
  readonly parameters: readonly string[];
}

export interface CapabilityHostDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** The modules of built-in capabilities, by name. */
  readonly builtins: ReadonlyMap<string, CapabilityModule>;
  /** Fails when the code of a capability is not what its manifest names. */
  verifyPackage(manifest: CapabilityManifest): Promise<void>;
}

export interface CapabilityHostOptions {
  /** The host program for Node.js, one file. */
  readonly nodeProgram: string;
  /** The hosts of other languages; a kind that is missing cannot run here. */
  readonly programs: ReadonlyMap<CapabilityKind, HostProgram>;
  /** What processes see of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly maxThreadHeapMb: number;
  /** What relays of hosts on other machines ask for. */
  readonly relayToken: Secret | undefined;
}

/** Starts hosts by kind: this process for what is trusted, a thread for scripts, a process for the rest. */
export function createHostOpener(
  { clock, log, builtins, verifyPackage }: CapabilityHostDeps,
  { nodeProgram, programs, environment, maxThreadHeapMb, relayToken }: CapabilityHostOptions,
): (manifest: CapabilityManifest, shard: string) => Promise<HostConnection> {
  // What shares the process shares the host: its calls cost what a method call costs.
  const memoryBytes = (): number => process.memoryUsage.rss();
  const shared = openInProcessHost({ clock, random: systemRandom, pid: process.pid, memoryBytes, builtins });
  return async (manifest, shard) => {
    const { endpoint: url } = manifest;
    if (url !== null) return openRemoteHost({ shard, url, token: relayToken ?? noToken(manifest) });
    await verifyPackage(manifest);
    switch (manifest.kind) {
      case 'builtin':
      case 'in-process':
        return shared;
      case 'thread':
      case 'wasm':
        return openThreadHost({ log }, { shard, program: nodeProgram, flags: [], maxHeapMb: maxThreadHeapMb });
      case 'process': {
        const heapFlag = `--max-old-space-size=${processHeapMb(manifest)}`;
        const parameters = [heapFlag, nodeProgram];
        return openProcessHost({ log }, { shard, executable: process.execPath, parameters, environment });
      }
      default: {
        const program = programs.get(manifest.kind);
        if (program !== undefined) return openProcessHost({ log }, { shard, ...program, environment });
        const { name, version, kind } = manifest;
        const reason = `no host for kind '${kind}' was found on this machine`;
        throw capabilityErrors.create('CAPABILITY_LOAD_FAILED', { name, version, reason });
      }
    }
  };
}

function noToken({ name, version }: CapabilityManifest): never {
  const reason = 'it runs on another machine, and SWITCHYARD_HOST_TOKEN is not set';
  throw capabilityErrors.create('CAPABILITY_LOAD_FAILED', { name, version, reason });
}

const megabyte = 1024 * 1024;

/** Four times what a capability says it holds, so that a leak ends its own process only. */
function processHeapMb({ memoryFootprintBytes }: CapabilityManifest): number {
  return Math.max(128, Math.ceil((4 * memoryFootprintBytes) / megabyte));
}
