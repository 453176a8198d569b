import type { Clock, Log } from '@switchyard/kernel';
import type { OpenConcurrencySnapshots } from '@switchyard/triggers';
import type { ProcessHealth } from '../health/process-health.ts';
import type { ResolvedApplication } from '../job-host/resolve-application.ts';
import { ConcurrencyControl } from './concurrency-control.ts';

/** What finds out of the concurrency of functions is made of. */
export interface ConcurrencyParts {
  readonly clock: Clock;
  readonly log: Log;
  /** How this process is; without it nobody looks. */
  readonly processHealth?: ProcessHealth | undefined;
  /** Where it is kept what was found out; nowhere when left out. */
  readonly concurrencySnapshots?: OpenConcurrencySnapshots | undefined;
}

/** Undefined for an app that leaves its concurrency to the limits of each kind. */
export function createConcurrency(
  parts: ConcurrencyParts,
  application: ResolvedApplication,
): ConcurrencyControl | undefined {
  const { clock, log, processHealth: health, concurrencySnapshots: open } = parts;
  const { host, settingsView: settings, hostId, cpus } = application;
  if (!host.concurrency.dynamicConcurrencyEnabled) return undefined;
  const snapshots = host.concurrency.snapshotPersistenceEnabled ? open?.({ settings, hostId, cpus }) : undefined;
  return new ConcurrencyControl({ clock, log, health, snapshots }, host.concurrency);
}
