import { type WorkerName, workerNames } from '@switchyard/protocol/control-api';
import { describe, expect, it } from 'vitest';
import { type EventType, eventTypes } from '../domain/events.ts';
import { workerTable } from './worker-table.ts';

const takers = (event: EventType): readonly WorkerName[] =>
  workerNames.filter((name) => workerTable[name].events.includes(event));
const tellers = (event: EventType): readonly WorkerName[] =>
  workerNames.filter((name) => workerTable[name].emits.includes(event));

describe('workerTable', () => {
  it.each<[EventType, readonly WorkerName[], readonly WorkerName[]]>([
    ['RuntimeDeploymentRequested', [], ['deployment']],
    ['RuntimeDeploymentCompleted', ['deployment'], ['health', 'drift', 'inventory']],
    ['HealthCheckCompleted', ['health'], ['scaling', 'drift']],
    ['ScalingPolicyApplied', ['scaling'], ['inventory']],
    ['ConfigurationPublished', [], ['configuration']],
    ['SettingsChangeRequested', [], ['configuration']],
    ['SettingsChanged', ['configuration'], ['drift']],
    ['ConfigurationSynced', ['configuration'], ['deployment']],
    ['SecretRotationRequested', [], ['secrets']],
    ['SecretRotated', ['secrets'], ['deployment']],
    ['RuntimeInventoryUpdated', ['inventory'], ['health', 'drift']],
    ['RuntimeDriftDetected', ['drift'], ['deployment']],
  ])('%s goes from %j to %j', (event, from, to) => {
    expect([tellers(event), takers(event)]).toEqual([from, to]);
  });

  it.each<[WorkerName, number, number, string]>([
    ['deployment', 30_000, 5, 'dead-letter'],
    ['health', 30_000, 3, 'next-tick'],
    ['scaling', 60_000, 4, 'next-tick'],
    ['drift', 300_000, 3, 'next-tick'],
    ['configuration', 60_000, 5, 'dead-letter'],
    ['secrets', 60_000, 5, 'alert'],
    ['inventory', 120_000, 3, 'next-tick'],
  ])('%s: every %i ms, %i tries, then %s', (name, everyMs, maxAttempts, exhausted) => {
    expect(workerTable[name]).toMatchObject({ everyMs, maxAttempts, exhausted });
  });

  it('every event that is told or asked for is known', () => {
    const used = new Set(workerNames.flatMap((name) => [...workerTable[name].events, ...workerTable[name].emits]));
    for (const event of used) expect(eventTypes).toContain(event);
  });
});
