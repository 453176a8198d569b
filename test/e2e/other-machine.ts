/**
 * Another machine, as far as a network is concerned: a network namespace with a wire to this one, in which programs can run.
 *
 * Ownership: a test opens it and closes it, also when it fails; what runs in it has ended before.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireOptionalPart } from '@switchyard/testkit';

const ip = (...words: readonly string[]): void => void execFileSync('ip', words, { stdio: 'pipe' });

/** Says why no namespace can be made here; undefined where it can. */
function whyNoNamespace(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  try {
    const name = `sy-${process.pid}-try`;
    ip('netns', 'add', name);
    ip('netns', 'delete', name);
    return undefined;
  } catch (thrown) {
    return `no network namespace can be made here: ${String(thrown)}`;
  }
}

/** Whether there can be one. A missing part is a loud skip. */
export function requireOtherMachine() {
  const reason = whyNoNamespace();
  return requireOptionalPart('a network namespace', reason === undefined, `Here: ${reason}.`);
}

export class OtherMachine {
  /** The address of this machine on the wire. */
  readonly near: string;
  /** The address of the other one. */
  readonly far: string;
  /** A program that runs Node.js there. */
  readonly node: string;
  readonly #space: string;
  readonly #wire: string;

  private constructor(number: number, folder: string) {
    this.near = `10.213.${number}.1`;
    this.far = `10.213.${number}.2`;
    this.#space = `sy-${process.pid}-${number}`;
    this.#wire = `sy${number}a${process.pid}`;
    this.node = join(folder, `node-there-${number}`);
  }

  /** `number` tells the wires of all tests apart; its scripts stand in `folder`. */
  static async open(number: number, folder: string): Promise<OtherMachine> {
    const machine = new OtherMachine(number, folder);
    const { near, far } = machine;
    const space = machine.#space;
    const [here, there] = [machine.#wire, `sy${number}b${process.pid}`];
    ip('netns', 'add', space);
    ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there);
    ip('link', 'set', there, 'netns', space);
    ip('addr', 'add', `${near}/30`, 'dev', here);
    ip('link', 'set', here, 'up');
    ip('-n', space, 'addr', 'add', `${far}/30`, 'dev', there);
    ip('-n', space, 'link', 'set', there, 'up');
    ip('-n', space, 'link', 'set', 'lo', 'up');
    await writeFile(machine.node, `#!/bin/sh\nexec ip netns exec ${space} '${process.execPath}' "$@"\n`);
    await chmod(machine.node, 0o755);
    return machine;
  }

  /** The words that run a program there, with the file systems as they are here. */
  get within(): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#space}`];
  }

  /** Bytes that have come over the wire. */
  get receivedBytes(): number {
    return Number(readFileSync(join('/sys/class/net', this.#wire, 'statistics/rx_bytes'), 'utf8'));
  }

  close(): void {
    ip('netns', 'delete', this.#space);
  }
}
