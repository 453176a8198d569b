/** What the Runtimes of an app are told of its workers. */
import type { VersionLoad } from '@switchyard/runtime';
import { versionKey } from '../up/versions/deployed-version.ts';
import { type FleetApp, type FleetVersion, homesOf } from './fleet-app.ts';
import type { FleetMember } from './fleet-places.ts';

/** What was told is seen in reports after that. */
const settleMs = 5_000;

/** A version that sleeps has no workers, whatever was wished before. */
export function sleeps(
  { wish, toldAtMs, application }: FleetVersion,
  loads: readonly VersionLoad[],
  nowMs: number,
): boolean {
  if (wish === undefined || nowMs - toldAtMs < settleMs) return false;
  const key = versionKey(application.definition);
  return loads
    .filter(({ definition }) => versionKey(definition) === key)
    .every(({ wantedCount, readyCount, startingCount }) => wantedCount + readyCount + startingCount === 0);
}

/** Its part of the workers. Said once: what a Runtime does by itself meanwhile, such as to sleep, is not undone. */
export function tellPart(app: FleetApp, { runtimeId, runtime }: FleetMember, version: FleetVersion): void {
  const { application, wish, counts, told } = version;
  const stay = app.stays.get(runtimeId);
  if (wish === undefined || stay === undefined || stay.state === 'entering') return;
  const count = counts.get(runtimeId) ?? 0;
  const isHome = homesOf(app)[0] === runtimeId;
  const standing = wish.standing === undefined ? {} : { standing: isHome ? Math.min(wish.standing, count) : 0 };
  const part = { ...wish, count, ...standing };
  const text = JSON.stringify(part);
  if (told.get(runtimeId) === text) return;
  told.set(runtimeId, text);
  runtime.scaleTo(application.definition, part);
}
