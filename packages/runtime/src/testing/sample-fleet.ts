import type { Clock } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import { createFakeWorker, type FakeWorker, type FakeWorkerOptions } from '@switchyard/testkit';
import type { Harness } from './runtime-harness.ts';

export interface FleetOptions {
  /** What a worker takes from the wish for it to its StartStream. */
  readonly startMs?: number;
  /** What a worker takes to end after its stream did, or after it was given back. */
  readonly exitMs?: number;
  readonly worker: (definition: ApplicationDefinition) => Partial<FakeWorkerOptions>;
}

/** A supply that does what it is asked for, with fake workers on the harness's clock. */
export interface SampleFleet {
  /** Every worker that came up, in order. */
  readonly workers: readonly FakeWorker[];
  /** The workers that have not ended. */
  readonly alive: number;
  /** So many starts end before the worker is there. */
  failures: number;
  /** So many workers are wanted of this version. */
  wishOf(definition: ApplicationDefinition): number;
}

interface Member {
  readonly workerId: string;
  readonly definition: ApplicationDefinition;
  isWanted: boolean;
  worker: FakeWorker | undefined;
}

const nameOf = ({ applicationId, metadataVersion, codeVersion }: ApplicationDefinition): string =>
  `${applicationId}:${metadataVersion}:${codeVersion}`;

/** Takes the harness's supply over. */
export function createFleet({ supply, connect }: Harness, clock: Clock, options: FleetOptions): SampleFleet {
  const { startMs = 20, exitMs = 5 } = options;
  const wishes = new Map<string, number>();
  const members = new Set<Member>();
  const workers: FakeWorker[] = [];
  let started = 0;

  const end = (member: Member, exitCode: number): void => {
    if (!members.delete(member)) return;
    member.worker?.crash();
    supply.exit(member.workerId, exitCode);
    reconcile(member.definition);
  };
  const comeUp = (member: Member): void => {
    if (!members.has(member)) return;
    if (fleet.failures > 0) {
      fleet.failures -= 1;
      end(member, 1);
      return;
    }
    const given = options.worker(member.definition);
    member.worker = createFakeWorker(connect(), {
      ...given,
      workerId: member.workerId,
      script: {
        workerTerminate: (_body, worker) => {
          worker.end();
          clock.schedule(exitMs, () => end(member, 0));
          return undefined;
        },
        ...given.script,
      },
    });
    workers.push(member.worker);
  };
  const reconcile = (definition: ApplicationDefinition): void => {
    const name = nameOf(definition);
    const present = [...members].filter((member) => member.isWanted && nameOf(member.definition) === name).length;
    for (let missing = (wishes.get(name) ?? 0) - present; missing > 0; missing -= 1) {
      started += 1;
      const member: Member = { workerId: `w${started}`, definition, isWanted: true, worker: undefined };
      members.add(member);
      supply.expect(member.workerId, definition);
      clock.schedule(startMs, () => comeUp(member));
    }
  };
  supply.onEnsure = ({ application, count }) => {
    wishes.set(nameOf(application), count);
    reconcile(application);
  };
  supply.onRelease = (workerId) => {
    const member = [...members].find((one) => one.workerId === workerId);
    if (member === undefined || !member.isWanted) return;
    member.isWanted = false;
    clock.schedule(exitMs, () => end(member, 0));
    reconcile(member.definition);
  };
  const fleet: SampleFleet = {
    workers,
    get alive() {
      return members.size;
    },
    failures: 0,
    wishOf: (definition) => wishes.get(nameOf(definition)) ?? 0,
  };
  return fleet;
}
