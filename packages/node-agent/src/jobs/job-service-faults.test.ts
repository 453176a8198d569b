/**
 * The agent under everything that can go wrong at once: engines that go away or are killed, agents that crash and come
 * back, masters that cancel. Whatever happens, a program is begun at most once, every accepted job ends, and nothing is
 * left.
 */
import { isFinalJobState } from '@switchyard/protocol/job-api';
import { VirtualClock } from '@switchyard/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MockDriver, MockEngine } from '../driver/mock/mock-driver.ts';
import { AgentBench, FakeWorkspaces } from '../testing/agent-bench.ts';
import { ScriptedDriver } from '../testing/scripted-driver.ts';
import type { JobStore } from './job-store.ts';
import { MemoryJobStore } from './memory-job-store.ts';

const commands = [['echo', 'x'], ['sleep', '3'], ['sleep', '100'], ['exit', '4'], ['stubborn'], ['eat'], ['missing']];

const step = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), cmd: fc.constantFrom(...commands), seconds: fc.nat(20) }),
  fc.record({ kind: fc.constant('cancel' as const), index: fc.nat(10) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 300, 2_000, 20_000) }),
  fc.record({ kind: fc.constantFrom('engine away' as const, 'engine back' as const, 'engine killed' as const) }),
  fc.record({ kind: fc.constant('agent crashes' as const) }),
);

/** A durable store, and agents on it of which the last one lives. */
class World {
  readonly clock = new VirtualClock();
  readonly engine = new MockEngine(this.clock);
  readonly store = new MemoryJobStore();
  readonly workspaces = new FakeWorkspaces();
  readonly accepted: string[] = [];
  #isDead = { value: false };
  agent = this.#openAgent();

  async crash(): Promise<void> {
    this.#isDead.value = true;
    this.agent = this.#openAgent();
    void this.agent.service.open();
    await this.clock.settle();
  }

  submit(cmd: readonly string[], seconds: number): void {
    const id = `j${this.accepted.length}`;
    const limits = { max_runtime_seconds: seconds + 1 };
    if (this.agent.submit(id, cmd, { runtime: { limits } }).kind === 'accepted') this.accepted.push(id);
  }

  #openAgent(): AgentBench {
    const isDead = { value: false };
    this.#isDead = isDead;
    const { engine, workspaces } = this;
    const driver = new ScriptedDriver(new MockDriver(engine), async () => {
      // Whoever crashed asks for nothing any more.
      if (isDead.value) await new Promise(() => {});
    });
    const isAlive = (): boolean => !isDead.value;
    const store = mortalStore(this.store, isAlive);
    const clock = mortalClock(this.clock, isAlive);
    return new AgentBench({ clock, engine, workspaces, driver, store, scheduling: { maxConcurrentJobs: 2 } });
  }
}

/** The same clock, whose timers end with the agent that set them. */
function mortalClock(clock: VirtualClock, isAlive: () => boolean): VirtualClock {
  return new Proxy(clock, {
    get(target, name) {
      if (name === 'schedule')
        return (delayMs: number, callback: () => void) =>
          target.schedule(delayMs, () => {
            if (isAlive()) callback();
          });
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The same store as one agent sees it: durable, and out of reach once that agent is dead. */
function mortalStore(store: JobStore, isAlive: () => boolean): JobStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'kind') return 'sqlite';
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (...words: unknown[]) => {
        if (!isAlive()) throw new Error('this agent has crashed');
        return value.apply(target, words);
      };
    },
  });
}

it('begins each program once at most, ends every job, and leaves nothing, whatever happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      await world.agent.service.open();
      for (const one of steps) {
        if (one.kind === 'submit') world.submit(one.cmd, one.seconds);
        else if (one.kind === 'cancel') world.agent.service.cancel(`j${one.index}`);
        else if (one.kind === 'pass') await world.clock.advance(one.ms);
        else if (one.kind === 'engine away') world.engine.available = false;
        else if (one.kind === 'engine back') world.engine.available = true;
        else if (one.kind === 'engine killed') world.engine.stop();
        else await world.crash();
      }
      world.engine.available = true;
      await world.clock.advance(3_600_000);
      const states = world.accepted.map((id) => [id, world.store.get(id)?.state] as const);
      expect(states.filter(([, state]) => state === undefined || !isFinalJobState(state))).toEqual([]);
      expect([...world.engine.launches].filter(([, count]) => count > 1)).toEqual([]);
      expect([...world.engine.tasks.keys()]).toEqual([]);
      expect([...world.workspaces.folders]).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
