import type { Clock } from '@switchyard/kernel';
import { parseSchedule, utcTimeZone } from '@switchyard/model';
import { createMemoryLog, createSeededRandom, type MemoryLog, VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import type { InvocationOutcome, TriggerEvent } from '../contract.ts';
import { createMemoryTimerStatus } from '../testing/memory-timer-status.ts';
import { createContext } from '../testing/scope.ts';
import { createScriptedInvoke, failed, lost, type ScriptedInvoke, succeeded } from '../testing/scripted-invoke.ts';
import { TimerListener, type TimerOptions } from './timer-listener.ts';
import type { TimerStatus } from './timer-status.ts';
import type { TimerStatusStore } from './timer-status-store.ts';

const key = { applicationId: 'shop', hostId: 'host', functionName: 'Hello' };
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
/** Half past midnight. */
const startMs = Date.UTC(2024, 0, 1, 0, 30);
const { signal } = new AbortController();

interface Bench {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly store: TimerStatusStore;
  readonly function: ScriptedInvoke;
  readonly listener: TimerListener;
  status(): Promise<TimerStatus | undefined>;
  /** When the function was called, in minutes after the start. */
  minutes(): number[];
}

interface Setup {
  readonly options?: Partial<TimerOptions>;
  readonly schedule?: string;
  readonly answer?: ((event: TriggerEvent, call: number) => InvocationOutcome) | undefined;
  readonly store?: TimerStatusStore;
  readonly startMs?: number;
  /** The clock as the listener sees it. */
  readonly seen?: (clock: VirtualClock) => Clock;
}

/** A listener with an hourly schedule whose function succeeds at once, but for what the test says. */
function bench(setup: Setup = {}): Bench {
  const clock = new VirtualClock(setup.startMs ?? startMs);
  const log = createMemoryLog(clock);
  const store = setup.store ?? createMemoryTimerStatus();
  const scripted = createScriptedInvoke('answer' in setup ? setup.answer : succeeded);
  const times: number[] = [];
  const invoke = (event: TriggerEvent): Promise<InvocationOutcome> => {
    times.push((clock.now() - startMs) / minute);
    return scripted.invoke(event);
  };
  const context = {
    ...createContext({ clock: setup.seen?.(clock) ?? clock, log, random: createSeededRandom(1) }),
    invoke,
  };
  const options: TimerOptions = {
    schedule: parseSchedule(setup.schedule ?? '0 0 * * * *'),
    zone: utcTimeZone,
    runOnStartup: false,
    useMonitor: true,
    ...setup.options,
  };
  const listener = new TimerListener({ context, status: store }, options);
  return {
    clock,
    log,
    store,
    function: scripted,
    listener,
    status: () => store.read(key, signal),
    minutes: () => times,
  };
}

/** What the function was told in its nth call. */
function payload(rig: Bench, call: number): Record<string, unknown> {
  const { data } = rig.function.calls[call]?.event.data ?? {};
  return JSON.parse(data?.$case === 'json' ? data.value : '');
}

describe('TimerListener', () => {
  it('runs the function at every occurrence, exactly then', async () => {
    const rig = bench();
    await rig.listener.start(signal);
    await rig.clock.advance(3 * hour);
    expect(rig.minutes()).toEqual([30, 90, 150]);
    expect(payload(rig, 0).IsPastDue).toBe(false);
    expect(rig.function.calls[0]?.event).toMatchObject({
      reason: 'Timer fired at 2024-01-01T01:00:00.0000000+00:00',
    });
    expect(rig.function.calls[0]?.event).not.toHaveProperty('details');
  });

  it('waits for years without waking too often', async () => {
    const rig = bench({ schedule: '0 0 0 29 2 *', startMs: Date.UTC(2024, 2, 1) });
    await rig.listener.start(signal);
    const dueMs = Date.UTC(2028, 1, 29);
    await rig.clock.advance(7 * 24 * hour);
    expect(rig.function.calls).toHaveLength(0);
    expect(await rig.status()).toMatchObject({ nextMs: dueMs });
    expect(rig.clock.pendingTimers).toBe(1);
  });

  it('starts at once when it is told to, and goes on by the schedule', async () => {
    const rig = bench({ options: { runOnStartup: true } });
    await rig.listener.start(signal);
    expect(rig.minutes()).toEqual([]);
    await rig.clock.advance(hour);
    expect(rig.minutes()).toEqual([0, 30]);
    expect(rig.function.calls[0]?.event.details).toEqual({ UnscheduledInvocationReason: 'RunOnStartup' });
    expect(payload(rig, 0).IsPastDue).toBe(false);
  });

  it('makes up for an occurrence that was missed while nothing ran', async () => {
    const store = createMemoryTimerStatus();
    await store.write(key, { lastMs: startMs - 90 * minute, nextMs: startMs - 30 * minute, lastUpdatedMs: undefined });
    const rig = bench({ store, options: { runOnStartup: true } });
    await rig.listener.start(signal);
    await rig.clock.advance(hour);
    expect(rig.minutes()).toEqual([0, 30]);
    expect(payload(rig, 0)).toMatchObject({ IsPastDue: true, ScheduleStatus: { Next: '2024-01-01T00:00:00+00:00' } });
    expect(rig.function.calls[0]?.event.details).toEqual({
      UnscheduledInvocationReason: 'IsPastDue',
      OriginalSchedule: '2024-01-01T00:00:00.0000000+00:00',
    });
    expect(payload(rig, 1).IsPastDue).toBe(false);
  });

  it('counts from when it began what ran outside the schedule', async () => {
    const rig = bench({ schedule: '00:10:00', options: { runOnStartup: true } });
    await rig.listener.start(signal);
    await rig.clock.advance(0);
    expect(await rig.status()).toEqual({
      lastMs: startMs,
      nextMs: startMs + 10 * minute,
      lastUpdatedMs: startMs,
    });
    await rig.clock.advance(20 * minute);
    expect(rig.minutes()).toEqual([0, 10, 20]);
  });

  it('takes a changed schedule from now on, and remembers it', async () => {
    const store = createMemoryTimerStatus();
    await store.write(key, { lastMs: startMs - 5 * hour, nextMs: startMs - 3 * hour, lastUpdatedMs: undefined });
    const rig = bench({ store });
    await rig.listener.start(signal);
    expect(await rig.status()).toEqual({ lastMs: undefined, nextMs: startMs + 30 * minute, lastUpdatedMs: startMs });
    await rig.clock.advance(hour);
    expect(rig.minutes()).toEqual([30]);
    expect(payload(rig, 0)).toMatchObject({ IsPastDue: false, ScheduleStatus: { Next: '2024-01-01T01:00:00+00:00' } });
  });

  it('shows the status of the run before', async () => {
    const rig = bench();
    await rig.listener.start(signal);
    await rig.clock.advance(2 * hour);
    expect(payload(rig, 1).ScheduleStatus).toEqual({
      Last: '2024-01-01T01:00:00+00:00',
      Next: '2024-01-01T02:00:00+00:00',
      LastUpdated: '2024-01-01T01:00:00+00:00',
    });
  });

  it.each(['*/20 * * * * *', '00:00:59'])('keeps no status for %s', async (schedule) => {
    const rig = bench({ schedule });
    await rig.listener.start(signal);
    await rig.clock.advance(minute);
    expect(payload(rig, 0).ScheduleStatus).toBeNull();
    expect(await rig.status()).toBeUndefined();
  });

  it('keeps no status when the binding says so', async () => {
    const rig = bench({ options: { useMonitor: false } });
    await rig.listener.start(signal);
    await rig.clock.advance(hour);
    expect(payload(rig, 0).ScheduleStatus).toBeNull();
    expect(await rig.status()).toBeUndefined();
  });

  it('ends its start when the signal aborts', async () => {
    const rig = bench();
    await expect(rig.listener.start(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await rig.clock.advance(hour);
    expect(rig.function.calls).toHaveLength(0);
  });

  it('notices a clock that was set forward', async () => {
    let aheadMs = 0;
    const seen = (clock: VirtualClock): Clock => ({
      now: () => clock.now() + aheadMs,
      monotonic: () => clock.monotonic(),
      schedule: (delayMs, callback) => clock.schedule(delayMs, callback),
    });
    const rig = bench({ schedule: '0 0 12 * * *', seen });
    await rig.listener.start(signal);
    aheadMs = 11 * hour + 30 * minute;
    await rig.clock.advance(10 * minute);
    expect(rig.function.calls).toHaveLength(1);
  });
});

describe('the invariants of TimerListener', () => {
  it('I1, I2: a run that takes too long delays the next one and makes up for one of those it covered', async () => {
    const rig = bench({ answer: undefined });
    await rig.listener.start(signal);
    await rig.clock.advance(30 * minute + 3 * hour);
    expect(rig.minutes()).toEqual([30]);
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.clock.advance(minute);
    expect(rig.minutes()).toEqual([30, 210]);
    rig.function.calls[1]?.answer.resolve(succeeded());
    await rig.clock.advance(hour);
    expect(rig.minutes()).toEqual([30, 210, 270]);
  });

  it('I2: a timer that wakes early waits for the rest', async () => {
    const seen = (clock: VirtualClock): Clock => ({
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule: (delayMs, callback) => clock.schedule(delayMs > 2 ? delayMs - 2 : delayMs, callback),
    });
    const rig = bench({ seen });
    await rig.listener.start(signal);
    await rig.clock.advance(30 * minute - 1);
    expect(rig.function.calls).toHaveLength(0);
    await rig.clock.advance(1);
    expect(rig.function.calls).toHaveLength(1);
  });

  it('I3: the status is written after every run, failed ones too', async () => {
    const rig = bench({ answer: failed });
    await rig.listener.start(signal);
    expect(await rig.status()).toEqual({ lastMs: undefined, nextMs: startMs + 30 * minute, lastUpdatedMs: startMs });
    await rig.clock.advance(hour);
    const firedMs = startMs + 30 * minute;
    expect(await rig.status()).toEqual({ lastMs: firedMs, nextMs: firedMs + hour, lastUpdatedMs: firedMs });
  });

  it('I3, I4: a lost run leaves the status and comes again as past due', async () => {
    const rig = bench({ answer: (_event, call) => (call < 3 ? lost('no-worker') : succeeded()) });
    await rig.listener.start(signal);
    await rig.clock.advance(30 * minute);
    expect(await rig.status()).toMatchObject({ lastMs: undefined, nextMs: startMs + 30 * minute });
    await rig.clock.advance(10 * second);
    expect(rig.function.calls).toHaveLength(3);
    expect(payload(rig, 2).IsPastDue).toBe(true);
    expect(await rig.status()).toMatchObject({ nextMs: startMs + 90 * minute });
    await rig.clock.advance(hour);
    expect(payload(rig, 3).IsPastDue).toBe(false);
  });

  it('I4: a function that takes its worker down is given up after three tries', async () => {
    const rig = bench({ answer: () => lost('worker-lost') });
    await rig.listener.start(signal);
    await rig.clock.advance(89 * minute);
    expect(rig.function.calls).toHaveLength(3);
    expect(await rig.status()).toMatchObject({ nextMs: startMs + 90 * minute });
  });

  it('I5: after drain no run begins, and a run in progress ends and is recorded', async () => {
    const rig = bench({ answer: undefined });
    await rig.listener.start(signal);
    await rig.clock.advance(30 * minute);
    const drained = rig.listener.drain(signal);
    rig.function.calls[0]?.answer.resolve(succeeded());
    await drained;
    expect(await rig.status()).toMatchObject({ lastMs: startMs + 30 * minute });
    await rig.clock.advance(5 * hour);
    expect(rig.function.calls).toHaveLength(1);
    expect(rig.clock.pendingTimers).toBe(0);
  });

  it('I5: drain stops waiting for a run when its signal aborts', async () => {
    const rig = bench({ answer: undefined });
    await rig.listener.start(signal);
    await rig.clock.advance(30 * minute);
    await rig.listener.drain(AbortSignal.abort());
    rig.function.calls[0]?.answer.resolve(succeeded());
    await rig.clock.advance(5 * hour);
    expect(rig.function.calls).toHaveLength(1);
    expect(await rig.status()).toMatchObject({ lastMs: undefined });
  });

  it('I5: after close nothing runs and nothing waits, in whatever state it was', async () => {
    const waiting = bench();
    await waiting.listener.start(signal);
    const idle = bench();
    for (const { listener, clock, function: scripted } of [waiting, idle]) {
      await listener.close();
      await listener.close();
      await listener.drain(signal);
      await clock.advance(5 * hour);
      expect(scripted.calls).toHaveLength(0);
      expect(clock.pendingTimers).toBe(0);
    }
  });

  it('I5: a start that close overtakes arms nothing', async () => {
    const rig = bench();
    const starting = rig.listener.start(signal);
    await rig.listener.close();
    await starting;
    await rig.clock.advance(5 * hour);
    expect(rig.function.calls).toHaveLength(0);
  });

  it('I6: a store that fails or hangs costs warnings, not runs', async () => {
    const broken: TimerStatusStore = {
      read: () => Promise.reject(new Error('disk')),
      write: () => new Promise(() => {}),
    };
    const rig = bench({ store: broken });
    const started = rig.listener.start(signal);
    await rig.clock.runUntil(started);
    await rig.clock.advance(2 * hour);
    expect(rig.minutes()).toEqual([30, 90]);
    const warnings = rig.log.records.filter((record) => record.level === 'warning');
    expect(warnings.map((record) => record.fields.error)).toEqual([
      'disk',
      expect.stringContaining('10000 ms'),
      expect.stringContaining('10000 ms'),
      expect.stringContaining('10000 ms'),
    ]);
  });
});
