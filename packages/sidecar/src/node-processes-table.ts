/** The processes of this machine, as far as /proc shows them. Elsewhere than on Linux it shows none. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ownerInEnvironment, type ProcessIdentity, type ProcessOwner, parseProcessStat } from './process-owner.ts';

/** What a search for orphans needs to know of processes. Nothing here throws: a process may end at any moment. */
export interface ProcessTable {
  /** This process; undefined where processes cannot be told apart. */
  self(): ProcessOwner | undefined;
  pids(): readonly number[];
  /** Undefined when there is no such process any more. */
  identityOf(pid: number): ProcessIdentity | undefined;
  /** The mark that a process was started with; undefined also when we may not look. */
  ownerOf(pid: number): ProcessOwner | undefined;
  /** Ends the process outright. */
  kill(pid: number): void;
}

export function openProcessTable(): ProcessTable {
  const identityOf = (pid: number): ProcessIdentity | undefined => {
    const stat = read(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return stat === undefined ? undefined : parseProcessStat(pid, stat);
  };
  return {
    self() {
      const { pid } = process;
      // In a namespace of its own whose /proc is another one's, the numbers mean nothing.
      if (read(() => readlinkSync('/proc/self')) !== String(pid)) return undefined;
      const namespace = /\d+/.exec(read(() => readlinkSync('/proc/self/ns/pid')) ?? '')?.[0];
      const identity = identityOf(pid);
      return namespace === undefined || identity === undefined ? undefined : { ...identity, namespace };
    },
    pids: () => (read(() => readdirSync('/proc')) ?? []).filter((name) => /^\d+$/.test(name)).map(Number),
    identityOf,
    ownerOf(pid) {
      const block = read(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
      return block === undefined ? undefined : ownerInEnvironment(block);
    },
    kill(pid) {
      read(() => process.kill(pid, 'SIGKILL'));
    },
  };
}

/** A process that is gone, or is not ours to look at, gives nothing. */
function read<T>(from: () => T): T | undefined {
  try {
    return from();
  } catch {
    return undefined;
  }
}
