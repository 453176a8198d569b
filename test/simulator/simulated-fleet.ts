/** The worker processes of a simulated world: they answer soon, late, wrongly or, when stopped, not at all. */
import { type Clock, sleep } from '@switchyard/kernel';
import type { InvocationRequest } from '@switchyard/protocol';
import {
  type Chance,
  createFaultyLink,
  createMortalClock,
  type FakeWorker,
  type FaultyLink,
  invocationFailure,
  invocationSuccess,
  successResult,
  toRpcFunctionMetadata,
} from '@switchyard/testkit';
import { createFakeFleet, type FakeFleet, type FleetWorker } from '../decoupled/fake-fleet.ts';
import { applicationSetting, simulatedFunctions } from './simulated-apps.ts';
import type { SimulatedLedger } from './simulated-ledger.ts';

export interface SimulatedFleet extends FakeFleet {
  /** Timers of functions that run, also in workers that have died meanwhile. */
  readonly pendingTimers: number;
  /** Workers that live, with the links to their sidecars. */
  living(): readonly { readonly worker: FleetWorker; readonly link: FaultyLink }[];
  /** Until healed, workers are sometimes slow or answer twice, and functions sometimes throw. */
  heal(): void;
}

export interface SimulatedFleetDeps {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly ledger: SimulatedLedger;
  readonly accept: (link: FaultyLink) => void;
}

export function createSimulatedFleet({ clock, chance, ledger, accept }: SimulatedFleetDeps): SimulatedFleet {
  const links: FaultyLink[] = [];
  const functionClock = createMortalClock(clock);
  let isHealed = false;
  const fleet = createFakeFleet(() => {
    const link = createFaultyLink(clock, { delayMs: () => 0 });
    links.push(link);
    accept(link);
    return link.opener;
  });
  const run = async (request: InvocationRequest, worker: FakeWorker) => {
    const id = idOf(request);
    ledger.ran(id, applicationOf(worker));
    const isSlow = !isHealed && chance.happens(0.03);
    const fails = !isHealed && chance.happens(0.05);
    await sleep(functionClock, isSlow ? chance.between(2_000, 20_000) : chance.between(0, 300));
    if (fails) return invocationFailure('the function threw');
    const answer = invocationSuccess({ returnValue: { data: { $case: 'string', value: id } } });
    // A worker that answers twice does harm to nobody.
    if (!isHealed && chance.happens(0.03)) {
      worker.send({ $case: 'invocationResponse', value: { ...answer, invocationId: request.invocationId } });
    }
    return answer;
  };
  fleet.options = {
    onInvocation: run,
    script: {
      functionsMetadataRequest: (_body, worker) => ({
        $case: 'functionMetadataResponse',
        value: {
          functionMetadataResults: applicationOf(worker) === '' ? [] : simulatedFunctions.map(toRpcFunctionMetadata),
          result: successResult(),
          useDefaultMetadataIndexing: false,
        },
      }),
    },
  };
  return {
    ...fleet,
    get pendingTimers() {
      return functionClock.pendingTimers;
    },
    living: () =>
      fleet.workers.flatMap((worker, index) => {
        const link = links[index];
        return worker.isAlive() && link !== undefined ? [{ worker, link }] : [];
      }),
    heal: () => {
      isHealed = true;
    },
  };
}

/** The app that the worker was specialized for; empty for a placeholder. */
export function applicationOf(worker: FakeWorker): string {
  const [reload] = worker.bodies('functionEnvironmentReloadRequest');
  return reload?.environmentVariables.get(applicationSetting) ?? '';
}

/** The id that a request carries in its query, and a message as its text. */
function idOf({ inputData }: InvocationRequest): string {
  const value = inputData[0]?.rpcData;
  const data = value?.$case === 'data' ? value.value.data : undefined;
  if (data?.$case === 'string') return data.value;
  if (data?.$case !== 'http') return `(${data?.$case ?? 'nothing'})`;
  return new URL(data.value.url).searchParams.get('id') ?? '(no id)';
}
