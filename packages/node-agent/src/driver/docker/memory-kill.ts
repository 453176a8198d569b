/**
 * Tells a kill for memory from others. Engines hear of it beside the end of the container, and under load too late or never; what they were
 * asked to do themselves they always know.
 */
import type { EngineClient } from './engine-client.ts';
import type { Inspection } from './inspection.ts';

/** 128 and SIGKILL: the exit code of what was killed. */
const killedExitCode = 137;
/** An engine notes a kill after it, when the container may have ended already. */
const noteMs = 1_000;

/**
 * Whether a container that has ended ran out of memory: the engine says so, or it was killed and nobody asked the engine to. From
 * within, the first process of a container cannot be killed. Rejects with a PlatformError when the engine does not answer.
 */
export async function ranOutOfMemory(
  engine: EngineClient,
  container: string,
  { OOMKilled: isTold = false, ExitCode: exitCode, StartedAt: startedAt, FinishedAt: finishedAt }: Ended,
): Promise<boolean> {
  if (isTold || exitCode !== killedExitCode || finishedAt === undefined) return isTold;
  const filters = JSON.stringify({ container: [container], event: ['kill'] });
  const query = { since: toSeconds(startedAt), until: toSeconds(finishedAt, noteMs), filters };
  const kills = await engine.sendForLines({ method: 'GET', path: '/events', query });
  return !kills.some(isKill);
}

type Ended = NonNullable<Inspection['State']>;

/** An engine that does not name the signal of a kill means the one that nothing survives. */
function isKill(event: unknown): boolean {
  const { Actor: actor } = event as { readonly Actor?: { readonly Attributes?: { readonly signal?: string } } };
  const { signal = '9' } = actor?.Attributes ?? {};
  return signal === '9' || signal.endsWith('KILL');
}

/** Seconds since 1970, which engines take with fractions. */
function toSeconds(time: string | undefined, laterMs = 0): string | undefined {
  return time === undefined ? undefined : ((Date.parse(time) + laterMs) / 1_000).toFixed(3);
}
