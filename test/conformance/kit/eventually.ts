import { setTimeout as pause } from 'node:timers/promises';

const defaultPatienceMs = 30_000;
const firstPauseMs = 20;
const longestPauseMs = 250;

/** Asks until there is an answer other than undefined. Rejects, naming what was waited for, when none comes in time. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  patienceMs: number = defaultPatienceMs,
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  let pauseMs = firstPauseMs;
  while (Date.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(pauseMs);
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs);
  }
  throw new Error(`Waited ${patienceMs} ms for ${what} in vain`);
}
