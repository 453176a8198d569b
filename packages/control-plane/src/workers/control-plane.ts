/**
 * The running control plane: subscriptions, consumers and hosts of the workers, the relay from the outbox to the bus, and
 * the sinks of alerts. Each worker may run here or in a process of its own: they share the store and the bus alone.
 *
 * Ownership: it stops what it starts; the store and the bus belong to whoever opened them.
 *
 * I1 Every worker has one subscription with the events of its row in the table, and nothing it should get is lost while it
 *    does not run.
 * I2 After `stop` nothing acts any more.
 */
import { type Clock, type Log, type Meter, messageOf, type Random } from '@switchyard/kernel';
import type { WorkerName } from '@switchyard/protocol/control-api';
import { startConsumer } from '../bus/consumer.ts';
import type { Bus, Consumer, HandlerVerdict } from '../bus/contract.ts';
import { DomainCommands } from '../domain/commands.ts';
import type { DomainState, Span } from '../frame/contract.ts';
import { controlTopic, createStoreState, subscriptionOf } from '../frame/store-state.ts';
import { WorkerHost } from '../frame/worker-host.ts';
import { retryBackoff, workerTable } from '../frame/worker-table.ts';
import type { Store } from '../store/contract.ts';
import { startOutboxRelay } from '../store/outbox-relay.ts';
import { type AlertSink, toAlertMessage } from './alerts/alert-sinks.ts';
import { createWorkers, type WorkerPorts } from './create-workers.ts';

export interface ControlPlaneDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly meter: Meter;
  readonly store: Store;
  readonly bus: Bus;
  readonly spans: { record(span: Span): void };
  readonly ports: Omit<WorkerPorts, 'clock' | 'random'>;
  readonly alertSinks: readonly AlertSink[];
}

export interface ControlPlaneOptions {
  /** Tells this process from others that hold leases. */
  readonly holder: string;
  readonly workers: readonly WorkerName[];
}

export interface ControlPlane {
  readonly state: DomainState;
  readonly commands: DomainCommands;
  /** Looks at everything now instead of at the next tick. */
  tick(worker: WorkerName): Promise<void>;
  /** Looks at one key of a worker now; nothing, where the worker does not run here. */
  look(worker: WorkerName, key: string): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
}

const alertSubscription = 'alert-sinks';

/** Events of one worker that are handled at once. */
const concurrency = 8;

export async function startControlPlane(deps: ControlPlaneDeps, options: ControlPlaneOptions): Promise<ControlPlane> {
  const { clock, random, log, store, bus } = deps;
  const state = createStoreState({ store, clock });
  await ensureSubscriptions(bus, options.workers);
  const hosts = new Map<WorkerName, WorkerHost>();
  const consumers: Consumer[] = [];
  for (const worker of createWorkers({ ...deps.ports, clock, random }, options.workers)) {
    const rule = workerTable[worker.name];
    const host = new WorkerHost({ ...deps, state }, worker, { holder: options.holder, rule });
    hosts.set(worker.name, host);
    const of = { topic: controlTopic, subscription: subscriptionOf(worker.name), concurrency };
    consumers.push(startConsumer({ clock, random, log, bus }, of, (delivery) => host.handle(delivery)));
    host.start();
  }
  const alerts = { topic: controlTopic, subscription: alertSubscription };
  consumers.push(
    startConsumer({ clock, random, log, bus }, alerts, ({ envelope }, signal) =>
      tellSinks(deps.alertSinks, envelope, signal),
    ),
  );
  const relay = startOutboxRelay({ clock, random, log, store, bus }, { holder: options.holder });
  return {
    state,
    commands: new DomainCommands({ clock, random, state }),
    tick: async (name) => hosts.get(name)?.tick(),
    look: async (name, key) => hosts.get(name)?.look(key),
    stop: async (deadlineMs) => {
      await Promise.all([...hosts.values()].map((host) => host.stop()));
      await Promise.all(consumers.map((consumer) => consumer.stop(deadlineMs)));
      await relay.stop();
    },
  };
}

async function ensureSubscriptions(bus: Bus, workers: readonly WorkerName[]): Promise<void> {
  for (const name of workers) {
    const { events, maxAttempts } = workerTable[name];
    await bus.ensureSubscription({
      topic: controlTopic,
      name: subscriptionOf(name),
      filter: { eventTypes: events },
      ordered: true,
      // The host gives up by itself at the last try; one more is for a process that died meanwhile.
      maxDeliveries: maxAttempts + 1,
      backoff: retryBackoff,
    });
  }
  const filter = { eventTypes: ['AlertRaised', 'AlertCleared'] };
  await bus.ensureSubscription({ topic: controlTopic, name: alertSubscription, filter, backoff: retryBackoff });
}

async function tellSinks(
  sinks: readonly AlertSink[],
  envelope: Parameters<typeof toAlertMessage>[0],
  signal: AbortSignal,
): Promise<HandlerVerdict> {
  const alert = toAlertMessage(envelope);
  if (alert === undefined) return { kind: 'done' };
  const told = await Promise.allSettled(sinks.map((sink) => sink(alert, signal)));
  const failed = told.find((one) => one.status === 'rejected');
  if (failed?.status !== 'rejected') return { kind: 'done' };
  return { kind: 'retry', reason: 'ALERT_NOT_TAKEN', description: messageOf(failed.reason) };
}
