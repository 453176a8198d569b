/**
 * Gives an app the workers that were planned for it: takes each placeholder under a claim that no other controller can have,
 * moves it where it is wanted, and assigns the app.
 *
 * Phases of a take: claimed -> moved (where it has to be) -> assigned -> confirmed, or given back, or abandoned.
 * Ownership: the controller owns it. A claim lies in the store while its take is under way, and goes with its end.
 *
 * I1 A placeholder goes to one app, however many controllers want it.
 * I2 A take that is not confirmed within `confirmMs` has failed, whatever becomes of it later.
 * I3 A placeholder that has seen nothing of the app is given back when its take failed; one that has is ended.
 * I4 What was got is returned, also when it is less than what was wanted, and whatever becomes of the replenishment.
 * I5 After the end of a scale-out no claim of it is left, and one that a controller left behind is taken over.
 */
import { type Clock, type Log, messageOf, settlesWithin } from '@switchyard/kernel';
import type { AssignOutcome } from '@switchyard/protocol';
import type { ScaleStore } from '../store/contract.ts';
import type { FleetRequest } from './fleet-state.ts';
import { type FleetView, type PlannedTake, planScaleOut } from './plan-scale-out.ts';

/** What a controller does to placeholders. `token` grows with every claim: whoever acts on a smaller one is too late. */
export interface FleetActions {
  view(): Promise<FleetView>;
  /** True while the worker has no app. It must know of every assignment that has ended. */
  isWaiting(workerId: string): Promise<boolean>;
  /** Moves the worker to another Runtime; resolves when it hangs there. Rejects when it does not. */
  reassign(workerId: string, runtimeId: string, token: number): Promise<void>;
  assign(workerId: string, request: FleetRequest, runtimeId: string, token: number): Promise<AssignOutcome>;
  /** Ends a worker that is of no use any more. */
  end(workerId: string): Promise<void>;
  /** Starts placeholders in the place of those that were taken. */
  replenish(runtimeId: string, count: number): Promise<void>;
}

export interface ScaleOutDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: ScaleStore;
  readonly fleet: FleetActions;
  /** Differs between all controllers. */
  readonly holder: string;
}

export interface ScaleOutResult {
  /** The workers that serve the app now. */
  readonly workerIds: readonly string[];
  readonly missing: number;
  /** Why there are fewer than wanted. */
  readonly reason: string | undefined;
}

/** How long a move and an assignment may take, each. */
export const confirmMs = 30_000;

/** A claim older than that belongs to a controller that is gone. */
const claimTtlMs = 3 * confirmMs;

/** Plans that are made anew because others were faster. */
const maxPlans = 5;

interface Taken {
  readonly take: PlannedTake;
  readonly outcome: 'confirmed' | 'lost-claim' | 'failed';
  readonly reason: string | undefined;
}

export async function scaleOut(deps: ScaleOutDeps, request: FleetRequest): Promise<ScaleOutResult> {
  const confirmed: PlannedTake[] = [];
  const avoided = new Set<string>();
  let unplanned: string | undefined;
  let failure: string | undefined;
  for (let round = 0; round < maxPlans && confirmed.length < request.count; round += 1) {
    const view = await deps.fleet.view();
    const placeholders = view.placeholders.filter(({ workerId }) => !avoided.has(workerId));
    const homes = request.homes.length > 0 ? request.homes : confirmed.map(({ runtimeId }) => runtimeId).slice(0, 1);
    const wanted = { ...request, homes, count: request.count - confirmed.length };
    const plan = planScaleOut(wanted, { ...view, placeholders });
    unplanned = plan.reason;
    if (plan.takes.length === 0) break;
    const taken = await Promise.all(plan.takes.map((take) => takeOne(deps, request, take)));
    for (const { take, outcome, reason: why } of taken) {
      avoided.add(take.placeholder.workerId);
      if (outcome === 'confirmed') confirmed.push(take);
      else failure = why ?? failure ?? 'others were faster';
    }
  }
  replenish(deps, confirmed);
  const missing = request.count - confirmed.length;
  const workerIds = confirmed.map(({ placeholder }) => placeholder.workerId);
  return { workerIds, missing, reason: missing === 0 ? undefined : (failure ?? unplanned) };
}

async function takeOne(deps: ScaleOutDeps, request: FleetRequest, take: PlannedTake): Promise<Taken> {
  const { workerId } = take.placeholder;
  const token = await claim(deps, workerId, request);
  if (token === undefined) return { take, outcome: 'lost-claim', reason: undefined };
  try {
    // Between the look and the claim another controller may have come and gone.
    if (!(await deps.fleet.isWaiting(workerId))) return { take, outcome: 'lost-claim', reason: undefined };
    const failure = await serve(deps, request, take, token);
    return { take, outcome: failure === undefined ? 'confirmed' : 'failed', reason: failure };
  } finally {
    await deps.store.remove('claim', workerId, token).catch((thrown: unknown) => {
      // It runs out by itself; until then nobody takes the worker, which is used or ended in any case.
      deps.log.write('warning', 'A claim could not be given back', { workerId, reason: messageOf(thrown) });
    });
  }
}

/** Why it failed; undefined when the worker serves. */
async function serve(
  deps: ScaleOutDeps,
  request: FleetRequest,
  take: PlannedTake,
  token: number,
): Promise<string | undefined> {
  const { fleet } = deps;
  const { placeholder, runtimeId, kind } = take;
  const { workerId } = placeholder;
  if (kind === 'reassign') {
    const moved = await inTime(deps, fleet.reassign(workerId, runtimeId, token));
    if (moved.kind === 'failed') {
      // Nobody knows where it hangs now.
      await endWorker(deps, workerId);
      return moved.reason;
    }
  }
  const assigned = await inTime(deps, fleet.assign(workerId, request, runtimeId, token));
  if (assigned.kind === 'failed') {
    await endWorker(deps, workerId);
    return assigned.reason;
  }
  const { value } = assigned;
  if (value.kind === 'assigned') return undefined;
  if (value.kind === 'failed' && value.tainted) await endWorker(deps, workerId);
  return messageOf(value.error);
}

type Timely<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly reason: string };

async function inTime<Value>({ clock }: ScaleOutDeps, work: Promise<Value>): Promise<Timely<Value>> {
  const settled = work.then(
    (value): Timely<Value> => ({ kind: 'done', value }),
    (thrown: unknown): Timely<Value> => ({ kind: 'failed', reason: messageOf(thrown) }),
  );
  if (await settlesWithin(clock, confirmMs, settled)) return await settled;
  return { kind: 'failed', reason: `there was no confirmation within ${confirmMs} ms` };
}

async function endWorker({ fleet, log }: ScaleOutDeps, workerId: string): Promise<void> {
  await fleet.end(workerId).catch((thrown: unknown) => {
    log.write('error', 'A worker that is of no use could not be ended', { workerId, reason: messageOf(thrown) });
  });
}

/** The token, or undefined when somebody else has the placeholder. */
async function claim(
  { clock, store, holder }: ScaleOutDeps,
  workerId: string,
  { application }: FleetRequest,
): Promise<number | undefined> {
  const present = await store.read('claim', workerId);
  const nowMs = clock.now();
  const since = present === undefined ? undefined : (present.body as { readonly atMs?: unknown }).atMs;
  const isAlive = typeof since === 'number' && nowMs - since < claimTtlMs;
  if (present !== undefined && isAlive) return undefined;
  const body = { holder, atMs: nowMs, applicationId: application.applicationId };
  const outcome = await store.write('claim', workerId, body, present?.revision ?? 0);
  return outcome.kind === 'written' ? outcome.revision : undefined;
}

/** Nobody waits for that, and no failure of it is one of the scale-out. */
function replenish({ fleet, log }: ScaleOutDeps, confirmed: readonly PlannedTake[]): void {
  const counts = new Map<string, number>();
  for (const { placeholder } of confirmed) {
    counts.set(placeholder.runtimeId, (counts.get(placeholder.runtimeId) ?? 0) + 1);
  }
  for (const [runtimeId, count] of counts) {
    fleet.replenish(runtimeId, count).catch((thrown: unknown) => {
      log.write('warning', 'Placeholders could not be replaced', { runtimeId, count, reason: messageOf(thrown) });
    });
  }
}
