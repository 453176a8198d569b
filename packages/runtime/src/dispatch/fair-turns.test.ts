import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FairTurns, type FairTurnsDeps, type FairTurnsOptions } from './fair-turns.ts';

/** A dispatcher that has calls to start; they end when the test says so. */
class Member {
  readonly name: string;
  readonly started: string[];
  waiting = 0;
  /** True while it could not send anything. */
  isBlocked = false;
  readonly share: ReturnType<FairTurns['join']>;

  constructor(turns: FairTurns, tenantId: string, name: string, started: string[]) {
    this.name = name;
    this.started = started;
    this.share = turns.join(tenantId, () => {
      if (this.waiting === 0 || this.isBlocked) return false;
      this.waiting -= 1;
      started.push(name);
      return true;
    });
  }

  /** As a dispatcher does: what is let go is started, and the oldest call goes first. */
  call(count = 1): void {
    for (let index = 0; index < count; index += 1) {
      this.waiting += 1;
      if (!this.share.take()) continue;
      this.waiting -= 1;
      this.started.push(this.name);
    }
  }
}

function createRun(options: Partial<FairTurnsOptions> = {}, pace?: FairTurnsDeps['pace']) {
  const clock = new VirtualClock();
  const due: (() => void)[] = [];
  const started: string[] = [];
  const turns = new FairTurns(
    { clock, pace, nextTurn: (callback) => due.push(callback) },
    { startsPerTurn: 2, inFlightPerTenant: 100, contentionMs: 1_000, ...options },
  );
  /** Runs one turn of the event loop; returns what was started in it. */
  const turn = (): string => {
    const before = started.length;
    for (const callback of due.splice(0)) callback();
    return started.slice(before).join('');
  };
  const member = (tenantId: string, name: string) => new Member(turns, tenantId, name, started);
  return { clock, due, started, turns, turn, member };
}

describe('FairTurns', () => {
  test('I1: while tenants compete, each starts so many calls per turn, and the rest in later turns', () => {
    const { started, turn, member } = createRun();
    const [loud, quiet] = [member('a', 'a'), member('b', 'b')];
    quiet.call();
    loud.call(7);
    expect(started.join('')).toBe('baa');
    expect([turn(), turn(), turn(), turn()]).toEqual(['aa', 'aa', 'a', '']);
  });

  test('I1: a call of another tenant starts at once, however many wait', () => {
    const { started, turn, member } = createRun();
    const [loud, quiet] = [member('a', 'a'), member('b', 'b')];
    quiet.call();
    loud.call(1_000);
    turn();
    const before = started.length;
    quiet.call();
    expect(started.slice(before)).toEqual(['b']);
  });

  test('I2: waiting calls start one of each tenant, and within a tenant one of each app, in turns', () => {
    const { started, turn, member } = createRun({ startsPerTurn: 4 });
    const [first, second, other] = [member('a', '1'), member('a', '2'), member('b', 'b')];
    other.call();
    first.call(10);
    second.call(10);
    other.call(10);
    expect(started.join('')).toBe('b1111bbbb');
    expect(turn()).toBe('1b2b1b2b');
    expect(turn()).toBe('1b2b12');
  });

  test('I2: one that cannot send is passed over, and asks again by itself', () => {
    const { turn, member } = createRun();
    const [first, second, other] = [member('a', '1'), member('a', '2'), member('b', 'b')];
    other.call();
    first.call(5);
    first.isBlocked = true;
    second.call(5);
    expect([turn(), turn()]).toEqual(['22', '22']);
    first.isBlocked = false;
    first.share.take();
    expect(turn()).toBe('21');
  });

  test('I3: a tenant has no more than its limit in flight; the end of a call starts the next one', () => {
    const { started, turn, member, due } = createRun({ inFlightPerTenant: 3 });
    const [one, two] = [member('a', '1'), member('a', '2')];
    one.call(5);
    two.call(1);
    expect([started.join(''), turn(), due.length]).toEqual(['111', '', 0]);
    one.share.give();
    expect(turn()).toBe('1');
    two.share.give();
    expect(turn()).toBe('2');
  });

  test('I4: a tenant that is alone starts everything at once, also once the others have been away for long', async () => {
    const { clock, started, turn, member, due } = createRun({ inFlightPerTenant: 1_000 });
    const [loud, quiet] = [member('a', 'a'), member('b', 'b')];
    loud.call(50);
    expect([started.length, due.length]).toEqual([50, 0]);
    quiet.call();
    loud.call(5);
    expect([started.length, turn(), turn()]).toEqual([53, 'aa', 'a']);
    await clock.advance(1_000);
    loud.call(50);
    expect(started.length).toBe(106);
  });

  test('I5: no turn is scheduled for nothing, and one that left is not called', () => {
    const { turn, member, due } = createRun();
    const [loud, quiet] = [member('a', 'a'), member('b', 'b')];
    quiet.call();
    loud.call(5);
    loud.share.leave();
    expect([turn(), due.length]).toEqual(['', 0]);
  });

  test('I7: a share that leaves twice takes none of its tenant’s other shares with it', () => {
    const { started, turn, member } = createRun();
    const [failed, living, quiet] = [member('a', 'x'), member('a', 'a'), member('b', 'b')];
    failed.share.leave();
    failed.share.leave();
    const next = member('a', 'n');
    living.share.leave();
    quiet.call();
    next.call(5);
    expect([started.join(''), turn(), turn(), turn()]).toEqual(['bnn', 'nn', 'n', '']);
  });

  test('I7: a tenant is forgotten with the end of its last call', () => {
    const paces: string[] = [];
    const join = () => ({ mayStart: () => true, started: () => {}, leave: () => paces.push('left') });
    const { member } = createRun({}, { join });
    const one = member('a', 'a');
    one.call(2);
    one.share.leave();
    one.share.give();
    expect(paces).toEqual([]);
    one.share.give();
    expect(paces).toEqual(['left']);
  });

  test('I6: whoever has no pace left waits for a while, and holds up nobody', async () => {
    let left = 2;
    const spend = (): void => {
      left -= 1;
    };
    const loudPace = { mayStart: () => left > 0, started: () => spend(), leave: () => {} };
    const quietPace = { mayStart: () => true, started: () => {}, leave: () => {} };
    const paces = [loudPace, quietPace];
    const { clock, started, turn, member, due } = createRun({}, { join: () => paces.shift() ?? quietPace });
    const [loud, quiet] = [member('a', 'a'), member('b', 'b')];
    quiet.call();
    loud.call(5);
    turn();
    expect([started.join(''), due.length]).toEqual(['baa', 0]);
    quiet.call();
    expect([started.join(''), turn(), due.length]).toEqual(['baab', '', 0]);
    left = 1;
    await clock.advance(1);
    expect([turn(), due.length]).toEqual(['a', 0]);
    // Alone again, it waits for nothing.
    await clock.advance(1_000);
    turn();
    expect(started.join('')).toBe('baabaaa');
  });

  test('I1, I2, I3: whatever is asked for and ends, all of it starts, within the limits, and none twice', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('call' as const), who: fc.nat(3), count: fc.integer({ min: 1, max: 6 }) }),
        fc.record({ kind: fc.constant('end' as const), who: fc.nat(3) }),
        fc.record({ kind: fc.constant('turn' as const) }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 8 }),
        (all, startsPerTurn, limit) => {
          const { turn, member, started, due } = createRun({ startsPerTurn, inFlightPerTenant: limit });
          const members = [member('a', '0'), member('a', '1'), member('b', '2'), member('c', '3')];
          const tenantOf = [0, 0, 1, 2];
          const asked = [0, 0, 0, 0];
          const ended = [0, 0, 0, 0];
          const startedBy = (who: number): number => started.filter((name) => name === String(who)).length;
          const running = (who: number): number => startedBy(who) - (ended[who] ?? 0);
          const end = (who: number): void => {
            if (running(who) === 0) return;
            ended[who] = (ended[who] ?? 0) + 1;
            members[who]?.share.give();
          };
          for (const step of all) {
            if (step.kind === 'call') {
              asked[step.who] = (asked[step.who] ?? 0) + step.count;
              members[step.who]?.call(step.count);
            } else if (step.kind === 'end') end(step.who);
            else turn();
            for (const tenant of [0, 1, 2]) {
              const inFlight = [0, 1, 2, 3].filter((who) => tenantOf[who] === tenant).map(running);
              expect(inFlight.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(limit);
            }
          }
          for (let rest = 0; rest < 2_000 && asked.some((count, who) => startedBy(who) < count); rest += 1) {
            turn();
            for (const who of [0, 1, 2, 3]) end(who);
          }
          expect([0, 1, 2, 3].map(startedBy)).toEqual(asked);
          turn();
          turn();
          expect(due.length).toBe(0);
        },
      ),
    );
  });
});
