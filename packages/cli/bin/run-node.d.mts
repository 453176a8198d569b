import type { SpawnOptions } from 'node:child_process';

/** Resolves with the exit code; rejects when the command cannot be started. */
export function runNode(path: string, args: readonly string[], options?: SpawnOptions): Promise<number>;
