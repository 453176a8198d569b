/**
 * Whose process is it? Every worker carries a mark of the process that started it, and Linux tells when a process was
 * started: a number is used again, a number with its start is not.
 */

/** A process, for as long as the machine is up. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since the machine was started, as /proc writes them. */
  readonly startTicks: string;
}

/** Who started a worker. */
export interface ProcessOwner extends ProcessIdentity {
  /** The numbers of processes count within one PID namespace only. */
  readonly namespace: string;
}

/** The variable that carries the mark. It is no secret. */
export const ownerVariable = 'SWITCHYARD_OWNER';

/** Ends with a semicolon, so that no mark is the beginning of another one. */
export function toOwnerMark({ namespace, pid, startTicks }: ProcessOwner): string {
  return `${namespace}:${pid}:${startTicks};`;
}

/** Reads a mark. What is none gives undefined. */
export function parseOwnerMark(text: string): ProcessOwner | undefined {
  const [, namespace, pid, startTicks] = /^(\d{1,20}):(\d{1,10}):(\d{1,20});$/.exec(text) ?? [];
  if (namespace === undefined || pid === undefined || startTicks === undefined) return undefined;
  return { namespace, pid: Number(pid), startTicks };
}

/** The mark in the environment block of a process: variables between null characters. */
export function ownerInEnvironment(block: string): ProcessOwner | undefined {
  const prefix = `${ownerVariable}=`;
  const variable = block.split('\0').find((text) => text.startsWith(prefix));
  return variable === undefined ? undefined : parseOwnerMark(variable.slice(prefix.length));
}

/**
 * Reads `/proc/<pid>/stat`: the number, the name in brackets, which may hold anything, and then fields of which the first
 * is the state and the twentieth the start. A process that has ended and waits for its parent is none any more.
 */
export function parseProcessStat(pid: number, stat: string): ProcessIdentity | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTicks = fields[19];
  if (state === undefined || startTicks === undefined || !/^\d+$/.test(startTicks)) return undefined;
  return state === 'Z' || state === 'X' ? undefined : { pid, startTicks };
}
