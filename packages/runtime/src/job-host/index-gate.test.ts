import type { PlatformError } from '@switchyard/kernel';
import type { FunctionLoadRequest } from '@switchyard/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IndexParticipant } from '../worker-stream/handshake.ts';
import { IndexGate } from './index-gate.ts';

class Participant implements IndexParticipant {
  readonly workerId: string;
  readonly heard: string[] = [];

  constructor(workerId = 'w') {
    this.workerId = workerId;
  }

  ask(): void {
    this.heard.push('ask');
  }

  load(requests: readonly FunctionLoadRequest[]): void {
    this.heard.push(`load ${requests.length}`);
  }

  fail(error: PlatformError): void {
    this.heard.push(error.code);
  }
}

describe('IndexGate', () => {
  test('I1: asks the first, and the next when that one leaves', () => {
    const gate = new IndexGate(true);
    const [first, second] = [new Participant(), new Participant()];
    gate.join(first);
    gate.join(second);
    expect([first.heard, second.heard]).toEqual([['ask'], []]);
    gate.leave(first);
    expect([first.heard, second.heard]).toEqual([['ask'], ['ask']]);
  });

  test('I1: where workers do not index nobody is asked', () => {
    const gate = new IndexGate(false);
    const participant = new Participant();
    gate.join(participant);
    expect(participant.heard).toEqual([]);
    gate.settle([]);
    expect(participant.heard).toEqual(['load 0']);
  });

  test('I2, I3: once the functions are known everyone loads them, also who comes later', () => {
    const gate = new IndexGate(true);
    const [first, second, late] = [new Participant(), new Participant(), new Participant()];
    gate.join(first);
    gate.join(second);
    gate.settle([]);
    gate.settle([]);
    gate.join(late);
    expect([first.heard, second.heard, late.heard]).toEqual([['ask', 'load 0'], ['load 0'], ['load 0']]);
  });

  test('I1, I2, I3: hold for every order of joining, leaving and settling', () => {
    const step = fc.record({ kind: fc.constantFrom('join', 'leave', 'settle'), who: fc.nat({ max: 4 }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const gate = new IndexGate(true);
        let present: Participant[] = [];
        let isKnown = false;
        const all: Participant[] = [];
        for (const { kind, who } of steps) {
          const one = present[who % Math.max(1, present.length)];
          if (kind === 'join') {
            const joined = new Participant();
            all.push(joined);
            present.push(joined);
            gate.join(joined);
          } else if (kind === 'leave' && one) {
            present = present.filter((other) => other !== one);
            gate.leave(one);
          } else if (kind === 'settle') {
            gate.settle([]);
            isKnown = true;
          }
          const asked = present.filter(({ heard }) => heard.includes('ask'));
          if (!isKnown) expect(asked.length).toBe(Math.min(1, present.length));
          const loaded = present.filter(({ heard }) => heard.includes('load 0'));
          expect(loaded.length).toBe(isKnown ? present.length : 0);
        }
        expect(all.every(({ heard }) => heard.length === new Set(heard).size)).toBe(true);
      }),
    );
  });
});
