import type { StatusView } from '@switchyard/protocol/control-api';
import { expect } from 'vitest';
import type { UpProcess } from './up-process.ts';

/** An installation that starts a second Runtime for the second worker of an app. */
export const twoRuntimes = ['--max-runtimes', '2', '--workers-per-runtime', '1'] as const;

/**
 * Shows that an app gets a worker on each of two Runtimes when it is called more, with no call unanswered on the way, and that
 * both are reached with streams. The app `shop` is deployed, and answers `/where` and echoes at `/echo`.
 */
export async function expectTwoRuntimes(up: UpProcess, patience: { readonly timeout: number }): Promise<void> {
  await up.do('scale', 'set', 'shop', 'maximum=2', 'targetConcurrency=1', 'stabilizationSeconds=60');
  const where = async (): Promise<number> => (await up.call('shop', '/where')).status;
  await expect.poll(() => where().catch(() => undefined), patience).toBe(200);
  let isEnough = false;
  const statuses = new Set<number>();
  const ask = async (): Promise<void> => {
    while (!isEnough) statuses.add(await where());
  };
  const asking = Promise.all(Array.from({ length: 8 }, ask));
  const ready = async (): Promise<readonly (string | undefined)[]> => {
    const { workers }: StatusView = JSON.parse(await up.do('ps', 'shop', '--json'));
    return workers.filter(({ state }) => state === 'ready').map(({ runtimeId }) => runtimeId);
  };
  await expect.poll(async () => (await ready()).toSorted(), patience).toEqual(['local', 'runtime-2']);
  isEnough = true;
  await asking;
  expect([...statuses]).toEqual([200]);
  const body = 'x'.repeat(100_000);
  const echoes = Array.from({ length: 6 }, () => up.call('shop', '/echo', { method: 'POST', body }));
  expect((await Promise.all(echoes)).map(({ text }) => text.length)).toEqual(new Array(6).fill(body.length));
}
