import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type ScaleDecision, type ScaleMemory } from './decide.ts';
import { explainDecision } from './explain-decision.ts';
import { defaultScalePolicy, defaultScaleTuning, type ScalePolicy } from './scale-policy.ts';
import { type FunctionLoad, quietSignals, type ScaleSignals } from './signals.ts';

const minuteMs = 60_000;

const load = (more: Partial<FunctionLoad> = {}): FunctionLoad => ({
  name: 'hello',
  runningCount: 0,
  waitingCount: 0,
  eventsPerSecond: 0,
  durationMs: undefined,
  ...more,
});

/** An app with so many ready workers. */
const serving = (count: number, more: Partial<ScaleSignals> = {}): ScaleSignals => ({
  ...quietSignals,
  wantedCount: count,
  readyCount: count,
  ...more,
});

const policy = (more: Partial<ScalePolicy> = {}): ScalePolicy => ({ ...defaultScalePolicy, maximum: 50, ...more });

/** What earlier looks have left. */
const after = (more: Partial<ScaleMemory> = {}): ScaleMemory => ({
  atMs: 0,
  target: 0,
  smoothedDemand: 0,
  lastDemand: 0,
  lowSinceMs: undefined,
  lowPeak: 0,
  grewAtMs: undefined,
  panicUntilMs: 0,
  ...more,
});

const running = (runningCount: number): readonly FunctionLoad[] => [load({ runningCount })];

const source = (messageCount: number, oldestMs?: number) => [{ functionName: 'orders', messageCount, oldestMs }];

const wanting = (messageCount: number, targetPerWorker: number) => [
  { functionName: 'orders', messageCount, oldestMs: undefined, targetPerWorker },
];

/** Two workers with five invocations each, of one second, and messages outside. */
const behind = (messageCount: number, more: Partial<ScaleSignals> = {}): ScaleSignals =>
  serving(2, {
    functions: [load({ name: 'orders', runningCount: 10, durationMs: 1_000 })],
    sources: source(messageCount, 5_000),
    ...more,
  });

const outcome = ({ rule, target }: ScaleDecision) => `${rule} ${target}`;

describe('decide, at and beside each threshold', () => {
  it.each<[name: string, signals: ScaleSignals, memory: ScaleMemory | undefined, expected: string]>([
    ['nothing', quietSignals, undefined, 'none 0'],
    ['a message and nobody there', { ...quietSignals, sources: source(1) }, undefined, 'queue-length 1'],
    ['no message and nobody there', { ...quietSignals, sources: source(0) }, undefined, 'none 0'],
    ['a message and somebody there', serving(1, { sources: source(1) }), undefined, 'steady 1'],
    ['an invocation waits', { ...quietSignals, functions: [load({ waitingCount: 1 })] }, undefined, 'wake 1'],
    ['70 % busy', serving(1, { functions: running(7) }), undefined, 'steady 1'],
    ['over 70 % busy', serving(1, { functions: running(8) }), undefined, 'utilization 2'],
    ['70 % of 10', serving(10, { functions: running(70) }), undefined, 'steady 10'],
    ['71 % of 10', serving(10, { functions: running(71) }), undefined, 'utilization 11'],
    ['below twice what is there', serving(2, { functions: running(39) }), after(), 'steady 2'],
    ['twice what is there, once', serving(2, { functions: running(40) }), after(), 'steady 2'],
    ['twice what is there, twice', serving(2, { functions: running(40) }), after({ lastDemand: 4 }), 'burst 6'],
    // 2 workers end 10 messages in a second, and 300 in the 30 s that one may wait.
    ['a backlog that ends in 30 s', behind(300), undefined, 'steady 2'],
    ['one message more', behind(301), undefined, 'queue-length 3'],
    ['a long backlog', behind(1_500), undefined, 'queue-length 10'],
    ['a backlog of nobody knows what', serving(2, { sources: source(1_500) }), undefined, 'steady 2'],
    ['as many as the app lets wait for 2', serving(2, { sources: wanting(1_000, 500) }), undefined, 'steady 2'],
    ['one more than that', serving(2, { sources: wanting(1_001, 500) }), undefined, 'queue-length 3'],
    ['30 s old', serving(1, { sources: source(5, 30_000) }), undefined, 'steady 1'],
    ['over 30 s old', serving(1, { sources: source(5, 30_001) }), undefined, 'oldest-message 2'],
    ['processors at 70 %', serving(2, { cpuShare: 0.7 }), undefined, 'steady 2'],
    ['processors over 70 %', serving(2, { cpuShare: 0.71 }), undefined, 'cpu 3'],
    ['processors at 100 % of ten', serving(10, { cpuShare: 1 }), undefined, 'cpu 15'],
    // 10 events of a second each per worker and second are its capacity.
    ['events at capacity', serving(2, { functions: [rate(20)] }), undefined, 'steady 2'],
    ['events over capacity', serving(2, { functions: [rate(21)] }), undefined, 'event-rate 3'],
    ['a blocked worker', serving(2, { blockedCount: 1 }), undefined, 'back-pressure 3'],
    ['a refused invocation', serving(4, { refusedCount: 1 }), undefined, 'back-pressure 6'],
  ])('%s', (_, signals, memory, expected) => {
    expect(outcome(decide(signals, policy(), memory, 0))).toBe(expected);
  });

  function rate(eventsPerSecond: number): FunctionLoad {
    return load({ eventsPerSecond, durationMs: 1_000 });
  }

  const stable = (more: Partial<ScaleMemory> = {}) =>
    after({ atMs: 5 * minuteMs - 1, target: 10, lowSinceMs: 0, lowPeak: 1, ...more });

  it.each<[name: string, signals: ScaleSignals, memory: ScaleMemory, nowMs: number, expected: string]>([
    ['below 20 % for 5 minutes', serving(10, { functions: running(5) }), stable(), 5 * minuteMs, 'low-load 1'],
    ['a moment before', serving(10, { functions: running(5) }), stable(), 5 * minuteMs - 1, 'steady 10'],
    ['at 20 %', serving(10, { functions: running(20) }), stable(), 5 * minuteMs, 'steady 10'],
    ['the most of that time', serving(10), stable({ lowPeak: 3 }), 5 * minuteMs, 'low-load 3'],
    ['processors at 20 %', serving(10, { cpuShare: 0.2 }), stable(), 5 * minuteMs, 'steady 10'],
    ['processors below 20 %', serving(10, { cpuShare: 0.19 }), stable(), 5 * minuteMs, 'low-load 3'],
    ['events at 10 % of capacity', serving(10, { functions: [rate(10)] }), stable(), 5 * minuteMs, 'steady 10'],
    ['events below 10 %', serving(10, { functions: [rate(9)] }), stable(), 5 * minuteMs, 'low-load 2'],
    ['a late message', serving(10, { sources: source(1, 30_001) }), stable(), 5 * minuteMs, 'oldest-message 11'],
    ['in panic', serving(10), stable({ panicUntilMs: 5 * minuteMs + 1 }), 5 * minuteMs, 'steady 10'],
    ['panic over', serving(10), stable({ panicUntilMs: 5 * minuteMs }), 5 * minuteMs, 'low-load 1'],
    ['grown lately', serving(10), stable({ grewAtMs: 1 }), 5 * minuteMs, 'steady 10'],
    ['grown long ago', serving(10), stable({ grewAtMs: 0 }), 5 * minuteMs, 'low-load 1'],
    ['quiet for 5 minutes', serving(10, { quietMs: 5 * minuteMs }), stable({ grewAtMs: 1 }), 5 * minuteMs, 'idle 0'],
    ['quiet for less', serving(1, { quietMs: 5 * minuteMs - 1 }), stable({ target: 1 }), 5 * minuteMs, 'steady 1'],
    [
      'quiet here, messages outside',
      serving(1, { quietMs: 5 * minuteMs, sources: source(1) }),
      stable({ target: 1 }),
      5 * minuteMs,
      'steady 1',
    ],
  ])('%s', (_, signals, memory, nowMs, expected) => {
    expect(outcome(decide(signals, policy(), memory, nowMs))).toBe(expected);
  });

  it('I5: waits for workers on their way, and for the last one to help', () => {
    const hot = { cpuShare: 1 };
    expect(outcome(decide(serving(2, { ...hot, startingCount: 1, wantedCount: 3 }), policy(), undefined, 0))).toBe(
      'steady 3',
    );
    const grown = after({ target: 2, grewAtMs: 0 });
    expect(outcome(decide(serving(2, hot), policy(), grown, 9_999))).toBe('steady 2');
    expect(outcome(decide(serving(2, hot), policy(), grown, 10_000))).toBe('cpu 3');
    expect(outcome(decide(serving(2, { sources: source(1, 99_000) }), policy(), grown, 9_999))).toBe('steady 2');
    expect(outcome(decide(behind(900), policy(), grown, 9_999))).toBe('steady 2');
    expect(outcome(decide(behind(900), policy(), grown, 10_000))).toBe('queue-length 6');
    expect(outcome(decide(behind(900, { startingCount: 1, wantedCount: 3 }), policy(), undefined, 0))).toBe('steady 3');
    const blocked = serving(2, { blockedCount: 2, startingCount: 1 });
    expect(outcome(decide(blocked, policy(), undefined, 0))).toBe('steady 2');
  });

  it('counts a function against its own target', () => {
    const signals = serving(1, { functions: [load({ name: 'Heavy', runningCount: 3 }), load({ runningCount: 3 })] });
    expect(outcome(decide(signals, policy(), undefined, 0))).toBe('steady 1');
    const own = policy({ functionTargets: new Map([['heavy', 1]]) });
    expect(outcome(decide(signals, own, undefined, 0))).toBe('burst 5');
  });

  it.each<[percent: number, cpuShare: number, expected: string]>([
    [10, 0.1, 'steady 10'],
    [10, 0.11, 'cpu 11'],
    [10, 0.3, 'cpu 30'],
    [10, 0.03, 'steady 10'],
    [10, 0.02, 'low-load 2'],
    [95, 0.95, 'steady 10'],
    [95, 0.96, 'cpu 11'],
    [95, 0.2, 'steady 10'],
    [95, 0.19, 'low-load 2'],
  ])('takes %d %% of the processors for enough, where an owner says so: %d', (percent, cpuShare, expected) => {
    const own = policy({ targetCpuShare: percent / 100 });
    expect(outcome(decide(serving(10, { cpuShare }), own, stable(), 5 * minuteMs))).toBe(expected);
  });

  it('takes an app that was woken meanwhile for one that has just grown', () => {
    const { memory } = decide(quietSignals, policy(), undefined, 0);
    const woken = decide(serving(1), policy(), memory, 1_000);
    expect(outcome(woken)).toBe('steady 1');
    expect(woken.memory.grewAtMs).toBe(1_000);
  });

  it.each<[name: string, more: Partial<ScalePolicy>, signals: ScaleSignals, expected: string]>([
    ['maximum', { maximum: 3 }, serving(1, { functions: running(80) }), 'burst 3 maximum'],
    ['maximum at it', { maximum: 12 }, serving(1, { functions: running(80) }), 'burst 12 '],
    ['minimum while active', { minimum: 3 }, { ...quietSignals, sources: source(1) }, 'queue-length 3 minimum'],
    ['no minimum while asleep', { minimum: 3 }, quietSignals, 'none 0 '],
    ['always ready', { alwaysReady: 2 }, quietSignals, 'none 2 always-ready'],
    ['always ready, when idle', { alwaysReady: 2 }, serving(5, { quietMs: 999_999 }), 'idle 2 '],
    ['no minimum when idle', { alwaysReady: 1, minimum: 3 }, serving(5, { quietMs: 999_999 }), 'idle 1 '],
    ['the maximum before all', { alwaysReady: 9, maximum: 4 }, quietSignals, 'none 4 always-ready maximum'],
    ['quota', { tenantAllowance: 2 }, serving(1, { functions: running(80) }), 'burst 2 tenant-quota'],
    ['no quota left', { tenantAllowance: 0 }, serving(1, { functions: running(80) }), 'burst 0 tenant-quota'],
    ['a quota overdrawn', { tenantAllowance: -2 }, serving(1), 'steady 0 tenant-quota'],
  ])('I1: clamps to %s', (_, more, signals, expected) => {
    const { rule, target, clamps } = decide(signals, policy(more), undefined, 0);
    expect(`${rule} ${target} ${clamps.join(' ')}`).toBe(expected);
  });

  it.each([
    [2, 0, 'burst 12 '],
    [3, 0, 'burst 1 failing'],
    [3, 2, 'burst 2 failing'],
  ])('does not start more and more of what fails: %i failures, %i ready', (startFailureCount, readyCount, expected) => {
    const signals = { ...serving(readyCount, { functions: running(80) }), startFailureCount };
    const { rule, target, clamps } = decide(signals, policy(), after({ lastDemand: 8 }), 0);
    expect(`${rule} ${target} ${clamps.join(' ')}`).toBe(expected);
  });
});

describe('decide, over time', () => {
  const count = (maximum: number) => fc.integer({ min: 0, max: maximum });
  const anySignals: fc.Arbitrary<ScaleSignals> = fc.record({
    wantedCount: count(60),
    readyCount: count(60),
    startingCount: count(10),
    functions: fc.array(
      fc.record({
        name: fc.constantFrom('a', 'B', '__proto__'),
        runningCount: count(500),
        waitingCount: count(500),
        eventsPerSecond: fc.double({ min: 0, max: 5_000, noNaN: true }),
        durationMs: fc.option(fc.double({ min: 0, max: 60_000, noNaN: true }), { nil: undefined }),
      }),
      { maxLength: 3 },
    ),
    sources: fc.array(
      fc.record({
        functionName: fc.constant('a'),
        messageCount: count(10_000),
        oldestMs: fc.option(count(100_000), { nil: undefined }),
      }),
      { maxLength: 2 },
    ),
    cpuShare: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    blockedCount: count(3),
    refusedCount: count(3),
    startFailureCount: count(5),
    quietMs: count(1_000_000),
  });

  it('I1: keeps within every limit, whatever it sees', () => {
    const limits = fc.record({
      alwaysReady: count(20),
      minimum: count(20),
      maximum: count(40),
      targetCpuShare: fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100),
      tenantAllowance: fc.option(fc.integer({ min: -5, max: 40 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(anySignals, { minLength: 1, maxLength: 20 }), limits, (trace, more) => {
        let memory: ScaleMemory | undefined;
        for (const [index, signals] of trace.entries()) {
          const decision = decide(signals, policy(more), memory, index * 1_000);
          memory = decision.memory;
          expect(Number.isSafeInteger(decision.target)).toBe(true);
          expect(decision.target).toBeGreaterThanOrEqual(0);
          expect(decision.target).toBeLessThanOrEqual(Math.max(0, Math.min(more.maximum, more.tenantAllowance ?? 99)));
          expect(explainDecision(decision, signals, policy(more))).toMatch(/^[A-Z0-9].*\.$/);
        }
      }),
    );
  });

  it('I4: gives the same for the same, and changes nothing that it is given', () => {
    fc.assert(
      fc.property(anySignals, anySignals, (first, second) => {
        const { memory } = decide(first, policy(), undefined, 0);
        const frozen = JSON.stringify([second, memory]);
        const decision = decide(second, policy(), Object.freeze(memory), 1_000);
        expect(decide(second, policy(), memory, 1_000)).toEqual(decision);
        expect(JSON.stringify([second, memory])).toBe(frozen);
      }),
    );
  });

  interface Point {
    readonly nowMs: number;
    readonly demand: number;
    readonly target: number;
    readonly rule: string;
  }

  /** Runs decisions against demand; workers come at once. */
  const runTrace = (demands: readonly number[], stepMs: number): Point[] => {
    let memory: ScaleMemory | undefined;
    let wanted = 0;
    let quietSinceMs = 0;
    return demands.map((runningCount, index) => {
      const nowMs = index * stepMs;
      if (runningCount > 0) quietSinceMs = nowMs;
      const signals = serving(wanted, { functions: running(runningCount), quietMs: nowMs - quietSinceMs });
      const decision = decide(signals, policy(), memory, nowMs);
      memory = decision.memory;
      wanted = decision.target;
      return { nowMs, demand: decision.demand, target: decision.target, rule: decision.rule };
    });
  };

  it('I2: does not flap: what grew shrinks no sooner than after the stabilization', () => {
    const step = fc.constantFrom(1_000, 5_000, 15_000);
    fc.assert(
      fc.property(fc.array(count(300), { minLength: 2, maxLength: 300 }), step, (demands, stepMs) => {
        let grewAtMs = Number.NEGATIVE_INFINITY;
        let target = 0;
        for (const point of runTrace(demands, stepMs)) {
          if (point.target < target && point.rule !== 'idle') {
            expect(point.nowMs - grewAtMs).toBeGreaterThanOrEqual(defaultScalePolicy.stabilizationMs);
          }
          if (point.target > target) grewAtMs = point.nowMs;
          target = point.target;
        }
      }),
    );
  });

  it('leaves room for the highest demand of the stabilization when it gives workers back', () => {
    fc.assert(
      fc.property(fc.array(count(60), { minLength: 60, maxLength: 200 }), (demands) => {
        const points = runTrace(demands, 10_000);
        for (const [index, { target, nowMs, rule }] of points.entries()) {
          if (rule !== 'low-load') continue;
          const seen = points.slice(0, index + 1).filter((one) => nowMs - one.nowMs < policy().stabilizationMs);
          const peak = Math.max(...seen.map(({ demand }) => demand));
          expect(target).toBeGreaterThanOrEqual(Math.floor(peak / defaultScaleTuning.highShare));
        }
      }),
    );
  });

  it('I3: comes to rest when nothing changes', () => {
    fc.assert(
      fc.property(count(400), count(40), (demand, start) => {
        const points = runTrace([start * 10, start * 10, ...new Array(200).fill(demand)], 5_000);
        const targets = points.slice(2).map(({ target }) => target);
        const changes = targets.filter((target, index) => index > 0 && target !== targets[index - 1]);
        // At most: up once for the burst, up for the average, and down once.
        expect(changes.length).toBeLessThanOrEqual(8);
        expect(new Set(targets.slice(-70)).size).toBe(1);
        const directions = targets.slice(1).map((target, index) => Math.sign(target - (targets[index] ?? 0)));
        const turns = directions
          .filter((way) => way !== 0)
          .filter((way, index, all) => index > 0 && way !== all[index - 1]);
        expect(turns.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('explainDecision', () => {
  it.each<[signals: ScaleSignals, memory: ScaleMemory | undefined, more: Partial<ScalePolicy>, text: RegExp]>([
    [serving(1, { functions: running(80) }), undefined, { maximum: 3 }, /A burst: .* 8 .*the most is 3\./],
    [serving(1, { functions: running(8) }), undefined, {}, /0\.8 workers' worth on average, over 70 %.*2 are enough/],
    [serving(2, { cpuShare: 0.9 }), undefined, { targetCpuShare: 0.5 }, /use 90 % of their processors, over 50 %/],
    [serving(2, { sources: source(4, 45_000) }), undefined, {}, /waited for 45 s, over 30 s: one more/],
    [{ ...quietSignals, sources: source(4) }, undefined, {}, /^4 messages wait outside/],
    [behind(600), undefined, {}, /^600 messages wait outside; 4 workers end them in 30 s/],
    [serving(2, { blockedCount: 1, refusedCount: 7 }), undefined, {}, /^1 workers take nothing .* 7 invocations/],
    [serving(4, { quietMs: 300_000 }), undefined, {}, /^Nothing has happened for 300 s: the app keeps 0\.$/],
    [serving(1), undefined, { tenantAllowance: 0 }, /quota of the tenant leaves 0/],
  ])('says why', (signals, memory, more, text) => {
    const allowed = policy(more);
    expect(explainDecision(decide(signals, allowed, memory, 0), signals, allowed)).toMatch(text);
  });
});
