import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeStack } from '../testing/fake-provider.ts';
import type { FleetRequest, PlaceholderPlace, RuntimePlace } from './fleet-state.ts';
import { matchStack } from './match-stack.ts';
import { planScaleOut } from './plan-scale-out.ts';

const runtime = (runtimeId: string, more: Partial<RuntimePlace> = {}): RuntimePlace => ({
  ...{ runtimeId, endpoint: `http://${runtimeId}`, region: undefined, maxWorkers: 20, connectedCount: 5 },
  ...{ tenantIds: [], dedicatedTo: undefined, state: 'ready' },
  ...more,
});

const placeholder = (workerId: string, runtimeId: string, more: Partial<PlaceholderPlace> = {}): PlaceholderPlace => ({
  ...{ workerId, runtimeId, stack: nodeStack, warmSinceMs: 0 },
  ...more,
});

const request = (more: Partial<FleetRequest> = {}): FleetRequest => ({
  application: { applicationId: 'shop', metadataVersion: 'm1', codeVersion: 'c1' },
  ...{ tenantId: 'contoso', stack: nodeStack, region: undefined, isolation: 'shared', affinity: 'none' },
  ...{ homes: ['a'], count: 2 },
  ...more,
});

const plan = (given: Partial<FleetRequest>, runtimes: RuntimePlace[], placeholders: PlaceholderPlace[]) => {
  const { takes, missing, reason } = planScaleOut(request(given), { runtimes, placeholders });
  return { takes: takes.map((take) => `${take.kind} ${take.placeholder.workerId} ${take.runtimeId}`), missing, reason };
};

describe('planScaleOut', () => {
  const node22 = { ...nodeStack, version: '22' };

  it('takes own placeholders, then leftover ones of others, then those that wait for a first app; the oldest first', () => {
    const runtimes = [runtime('a'), runtime('b', { tenantIds: ['fabrikam'] }), runtime('c')];
    const waiting = [
      placeholder('w-c', 'c'),
      placeholder('w-b', 'b'),
      placeholder('w-young', 'a', { warmSinceMs: 9 }),
      placeholder('w-old', 'a', { warmSinceMs: 1 }),
    ];
    expect(plan({ count: 4 }, runtimes, waiting)).toEqual({
      takes: ['specialize w-old a', 'specialize w-young a', 'reassign w-b a', 'reassign w-c a'],
      missing: 0,
      reason: undefined,
    });
  });

  it('matches language, version and architecture exactly', () => {
    const others = [
      placeholder('w1', 'a', { stack: node22 }),
      placeholder('w2', 'a', { stack: { ...nodeStack, architecture: 'arm64' } }),
      placeholder('w3', 'a', { stack: { ...nodeStack, runtime: 'python' } }),
    ];
    expect(plan({}, [runtime('a')], others)).toEqual({
      takes: [],
      missing: 2,
      reason: 'no placeholder of exactly node 24 x64 is warm',
    });
    expect(plan({ stack: node22 }, [runtime('a')], others).takes).toEqual(['specialize w1 a']);
  });

  it('never fills a Runtime beyond its limit; one that hangs there already takes no more room', () => {
    const full = [runtime('a', { connectedCount: 20 }), runtime('b')];
    expect(plan({}, full, [placeholder('w1', 'a'), placeholder('w2', 'b')])).toEqual({
      takes: ['specialize w1 a'],
      missing: 1,
      reason: 'its Runtimes are full',
    });
  });

  it('strict affinity keeps workers where they are; an app without a home finds one all the same', () => {
    const runtimes = [runtime('a'), runtime('b')];
    const others = [placeholder('w1', 'b')];
    expect(plan({ affinity: 'strict' }, runtimes, others)).toMatchObject({
      takes: [],
      reason: 'its workers may not come from other Runtimes',
    });
    expect(plan({ affinity: 'preferred' }, runtimes, others).takes).toEqual(['reassign w1 a']);
    expect(plan({ affinity: 'strict', homes: [], count: 1 }, runtimes, others).takes).toEqual(['specialize w1 b']);
  });

  it('respects regions, Runtimes of one tenant alone, isolation, and those that are going', () => {
    const waiting = [placeholder('w1', 'a')];
    const none = 'no Runtime may take the app, or has room for it';
    const refused: [Partial<FleetRequest>, Partial<RuntimePlace>][] = [
      [{ region: 'north' }, { region: 'south' }],
      [{}, { dedicatedTo: 'fabrikam' }],
      [{ isolation: 'dedicated' }, { tenantIds: ['fabrikam'] }],
      [{}, { state: 'draining' }],
      [{}, { state: 'lost' }],
    ];
    for (const [given, place] of refused) {
      expect(plan({ homes: [], count: 1, ...given }, [runtime('a', place)], waiting)).toMatchObject({
        takes: [],
        reason: none,
      });
    }
    const allowed: [Partial<FleetRequest>, Partial<RuntimePlace>][] = [
      [{ region: 'north' }, { region: 'north' }],
      [{}, { dedicatedTo: 'contoso' }],
      [{ isolation: 'dedicated' }, { tenantIds: ['contoso'] }],
      [{}, { tenantIds: ['fabrikam'] }],
    ];
    for (const [given, place] of allowed) {
      expect(plan({ homes: [], count: 1, ...given }, [runtime('a', place)], waiting).takes).toEqual([
        'specialize w1 a',
      ]);
    }
  });

  it('takes no placeholder twice, never more than are wanted, and overfills nothing', () => {
    const place = fc.record({
      maxWorkers: fc.integer({ min: 0, max: 8 }),
      connectedCount: fc.integer({ min: 0, max: 8 }),
      tenantIds: fc.constantFrom([], ['contoso'], ['fabrikam']),
    });
    fc.assert(
      fc.property(
        fc.array(place, { maxLength: 4 }),
        fc.array(fc.nat(3), { maxLength: 12 }),
        fc.integer({ min: 0, max: 15 }),
        fc.constantFrom<FleetRequest['affinity']>('none', 'preferred', 'strict'),
        fc.subarray(['r0', 'r1']),
        (places, spread, count, affinity, homes) => {
          const runtimes = places.map((more, index) => runtime(`r${index}`, more));
          const placeholders = spread.map((index, at) => placeholder(`w${at}`, `r${index}`));
          const { takes, missing } = planScaleOut(request({ count, affinity, homes }), { runtimes, placeholders });
          expect(takes.length + missing).toBe(count);
          expect(new Set(takes.map((take) => take.placeholder.workerId)).size).toBe(takes.length);
          for (const { runtimeId, maxWorkers, connectedCount } of runtimes) {
            const moved = takes.filter((take) => take.kind === 'reassign' && take.runtimeId === runtimeId).length;
            if (moved > 0) expect(connectedCount + moved).toBeLessThanOrEqual(maxWorkers);
          }
        },
      ),
    );
  });
});

describe('matchStack', () => {
  const stack = (version: string, runtime = 'node') => ({ runtime, version, architecture: 'x64' });
  const here = [stack('24'), stack('22'), stack('20'), stack('3.11', 'python')];

  it('has Node.js 20, 22 and 24 side by side, each for those who ask for it', () => {
    for (const version of ['20', '22', '24']) {
      expect(matchStack(stack(version), here)).toEqual({ kind: 'exact', stack: stack(version) });
    }
    expect(matchStack(stack(''), here)).toEqual({ kind: 'exact', stack: stack('24') });
  });

  it('says what there is when nothing matches', () => {
    expect(matchStack(stack('18'), here)).toEqual({
      kind: 'none',
      reason: 'node:18:x64 is wanted exactly, and node:20:x64, node:22:x64, node:24:x64 is here',
    });
    expect(matchStack({ ...stack('24'), architecture: 'arm64' }, here)).toMatchObject({ kind: 'none' });
    expect(matchStack(stack('17', 'java'), here)).toEqual({
      kind: 'none',
      reason: "there is no worker for 'java' here; there is node, python",
    });
    expect(matchStack(stack('17', 'java'), [])).toMatchObject({
      reason: expect.stringContaining('no language at all'),
    });
  });
});
