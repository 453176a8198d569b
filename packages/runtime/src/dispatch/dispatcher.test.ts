import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { createSampleDispatcher as createDispatcher } from '../testing/sample-dispatcher.ts';
import { createReadyWorker, SampleCall, sampleAnswer } from '../testing/sample-worker.ts';
import type { Worker } from '../worker-registry/worker.ts';
import type { DispatchStrategy } from './strategies.ts';

describe('Dispatcher', () => {
  test('I1: an answer settles its call, and a second one changes nothing', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    const call = submit('a');
    expect(channel.kinds).toEqual(['invocationRequest']);
    dispatcher.answer(worker, sampleAnswer('a'));
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(call.results).toEqual([{ kind: 'answered', response: sampleAnswer('a') }]);
    expect(worker.inFlight.size).toBe(0);
  });

  test('I1: a call whose request cannot be made, or whose function the worker could not load, is refused', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    const broken = new SampleCall('a');
    broken.encode = () => {
      throw new RangeError('too deep');
    };
    dispatcher.submit(broken);
    expect(broken.results).toMatchObject([{ kind: 'refused', error: { message: 'too deep' } }]);
    worker.loadFailures.set('id-Hello', { message: 'no such module', stack: '', type: '' });
    expect(submit('b').results).toMatchObject([{ kind: 'refused', error: { message: 'no such module' } }]);
    expect(channel.sent).toEqual([]);
  });

  test('I2: neither an unhealthy, nor a full, nor a blocked worker gets a call', async () => {
    const { clock, dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker({ inFlightCapacity: 1 });
    dispatcher.addWorker(worker, channel);
    worker.transition({ kind: 'unhealthy', cause: 'silent' });
    submit('a');
    expect(channel.sent).toHaveLength(0);
    worker.transition({ kind: 'ready' });
    dispatcher.wake();
    submit('b');
    expect(channel.sent).toHaveLength(1);
    channel.fill();
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(channel.sent).toHaveLength(2);
    dispatcher.answer(worker, sampleAnswer('b'));
    const waiting = submit('c');
    expect(channel.sent).toHaveLength(2);
    channel.drain();
    await clock.settle();
    expect(channel.sent).toHaveLength(3);
    expect(waiting.results).toEqual([]);
  });

  test('I2: least-loaded takes the worker with the fewest in flight, round-robin each in turn', () => {
    for (const [strategy, expected] of [
      ['leastLoaded', [3, 2]],
      ['roundRobin', [3, 2]],
    ] as const) {
      const { dispatcher, submit } = createDispatcher({ strategy });
      const workers = [createReadyWorker({ workerId: 'w1' }), createReadyWorker({ workerId: 'w2' })];
      for (const { worker, channel } of workers) dispatcher.addWorker(worker, channel);
      for (const id of ['a', 'b', 'c', 'd', 'e']) submit(id);
      expect(workers.map(({ channel }) => channel.sent.length)).toEqual(expected);
    }
  });

  test('I2: when answers come unevenly, least-loaded evens the load out and round-robin does not', () => {
    const loads = (['leastLoaded', 'roundRobin'] as const).map((strategy) => {
      const { dispatcher, submit } = createDispatcher({ strategy });
      const [quick, slow] = [createReadyWorker({ workerId: 'quick' }), createReadyWorker({ workerId: 'slow' })];
      for (const { worker, channel } of [quick, slow]) dispatcher.addWorker(worker, channel);
      for (let index = 0; index < 8; index += 1) {
        submit(String(index));
        dispatcher.answer(quick.worker, sampleAnswer(String(index)));
      }
      return slow.channel.sent.length;
    });
    expect(loads).toEqual([0, 4]);
  });

  test('I10: calls wait for the worker of their partition, in order, and let the others pass', () => {
    const { dispatcher, submit } = createDispatcher({ strategy: 'partitionAffinity' });
    const workers = ['w1', 'w2'].map((workerId) => createReadyWorker({ workerId, inFlightCapacity: 1 }));
    for (const { worker, channel } of workers) dispatcher.addWorker(worker, channel);
    const running = () => workers.map(({ worker }) => worker.inFlight.oldest()?.invocationId);
    submit('a', 'orders/0');
    const [mine, other] = running()[0] === 'a' ? workers : [...workers].reverse();
    if (mine === undefined || other === undefined) throw new Error('nobody is there');
    const shown = () => [mine, other].map(({ worker }) => worker.inFlight.oldest()?.invocationId);
    submit('b', 'orders/0');
    submit('c', 'orders/0');
    submit('d');
    expect(shown()).toEqual(['a', 'd']);
    dispatcher.answer(other.worker, sampleAnswer('d'));
    expect(shown()).toEqual(['a', undefined]);
    dispatcher.answer(mine.worker, sampleAnswer('a'));
    expect(shown()).toEqual(['b', undefined]);
    dispatcher.answer(mine.worker, sampleAnswer('b'));
    expect(shown()).toEqual(['c', undefined]);
  });

  test('I3: an answer of another worker is not an answer', () => {
    const { dispatcher, submit } = createDispatcher();
    const [first, second] = [createReadyWorker({ workerId: 'w1' }), createReadyWorker({ workerId: 'w2' })];
    for (const { worker, channel } of [first, second]) dispatcher.addWorker(worker, channel);
    const call = submit('a');
    dispatcher.answer(second.worker, sampleAnswer('a'));
    expect(call.results).toEqual([]);
    dispatcher.answer(first.worker, sampleAnswer('a'));
    expect(call.results).toHaveLength(1);
  });

  test('I4: a call that runs too long is lost and its worker given up; the others go on to their own time', async () => {
    const { clock, dispatcher, timedOut, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    const first = submit('a');
    await clock.advance(59_999);
    const second = submit('b');
    expect(first.results).toEqual([]);
    await clock.advance(1);
    expect(first.results).toMatchObject([{ kind: 'lost', reason: 'timeout' }]);
    expect(first.results).toMatchObject([{ error: { type: 'INVOCATION_TIMEOUT' } }]);
    expect(JSON.stringify(first.results)).toContain("00:01:00 exceeded by function 'Functions.Hello' (Id: 'a')");
    expect(timedOut).toEqual([worker]);
    expect(second.results).toEqual([]);
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(first.results).toHaveLength(1);
  });

  test('I4: the function whose time is over is told, where its worker can, and no other', async () => {
    const { clock, dispatcher, submit } = createDispatcher();
    const able = createReadyWorker({ workerId: 'w1', capabilities: ['HandlesInvocationCancelMessage'] });
    dispatcher.addWorker(able.worker, able.channel);
    submit('a');
    await clock.advance(30_000);
    submit('b');
    await clock.advance(30_000);
    expect(able.channel.kinds).toEqual(['invocationRequest', 'invocationRequest', 'invocationCancel']);
    expect(able.channel.sent.at(-1)?.content).toMatchObject({ value: { invocationId: 'a' } });
    dispatcher.removeWorker(able.worker, 'test');
    const plain = createReadyWorker({ workerId: 'w2' });
    dispatcher.addWorker(plain.worker, plain.channel);
    submit('c');
    await clock.advance(60_000);
    expect(plain.channel.kinds).toEqual(['invocationRequest']);
  });

  test('I4: one timer serves all calls of a worker, and follows the oldest', async () => {
    const { clock, dispatcher, timedOut, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    submit('a');
    await clock.advance(30_000);
    const second = submit('b');
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(59_999);
    expect(second.results).toEqual([]);
    await clock.advance(1);
    expect(second.results).toMatchObject([{ reason: 'timeout' }]);
    expect(timedOut).toHaveLength(1);
  });

  test('I4: without a limit nothing times out', async () => {
    const { clock, dispatcher, submit } = createDispatcher({ functionTimeoutMs: undefined });
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    const call = submit('a');
    await clock.advance(10 * 24 * 3_600_000);
    expect(call.results).toEqual([]);
  });

  test('I5: without a worker calls are held for 30 seconds, and the supply is asked', async () => {
    const { clock, dispatcher, starving, submit } = createDispatcher();
    const call = submit('a');
    expect(starving).toHaveLength(1);
    await clock.advance(29_999);
    expect(call.results).toEqual([]);
    await clock.advance(1);
    expect(call.results).toMatchObject([{ kind: 'lost', reason: 'no-worker' }]);
    expect(dispatcher.heldCount).toBe(0);
  });

  test('I5: a call beyond the limit is refused at once', () => {
    const { submit } = createDispatcher();
    const calls = ['a', 'b', 'c', 'd'].map((id) => submit(id));
    expect(calls.map(({ results }) => results.length)).toEqual([0, 0, 0, 1]);
    const error = { type: 'INVOCATION_HELD_LIMIT', message: expect.stringContaining('3 invocations wait') };
    expect(calls[3]?.results).toMatchObject([{ kind: 'lost', reason: 'no-worker', error }]);
  });

  test('I5: beyond the limit of calls that wait behind a busy worker, the app is overloaded', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker({ inFlightCapacity: 1 });
    dispatcher.addWorker(worker, channel);
    const calls = ['running', 'a', 'b', 'c', 'd'].map((id) => submit(id));
    expect(calls.map(({ results }) => results.length)).toEqual([0, 0, 0, 0, 1]);
    expect(calls[4]?.results).toMatchObject([{ kind: 'lost', reason: 'overloaded' }]);
  });

  test('I5: behind a blocked worker a call waits 5 seconds, and then the worker counts as stalled', async () => {
    const { clock, dispatcher, stalled, relieved, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    channel.fill();
    submit('a');
    const call = submit('b');
    await clock.advance(4_999);
    expect(call.results).toEqual([]);
    await clock.advance(1);
    expect(call.results).toMatchObject([{ kind: 'lost', reason: 'overloaded' }]);
    expect(stalled).toEqual([worker]);
    channel.drain();
    await clock.settle();
    expect(relieved).toEqual([worker]);
  });

  test('I5: what was held goes out first, in order, when a worker comes', () => {
    const { dispatcher, submit } = createDispatcher();
    for (const id of ['a', 'b']) submit(id);
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    submit('c');
    const ids = channel.sent.map(({ content }) => content?.$case === 'invocationRequest' && content.value.invocationId);
    expect(ids).toEqual(['a', 'b', 'c']);
  });

  test('I6: closing settles what is held, and takes nothing more; what runs may end', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker({ inFlightCapacity: 1 });
    dispatcher.addWorker(worker, channel);
    const [running, held] = [submit('a'), submit('b')];
    dispatcher.close();
    expect(held.results).toMatchObject([{ kind: 'lost', reason: 'stopping' }]);
    expect(submit('c').results).toMatchObject([{ kind: 'lost', reason: 'stopping' }]);
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(running.results).toMatchObject([{ kind: 'answered' }]);
    expect(channel.sent).toHaveLength(1);
  });

  test('what is held is given up when no worker is to be expected; the next call waits again', () => {
    const { dispatcher, submit } = createDispatcher();
    const held = submit('a');
    dispatcher.disappoint();
    expect(held.results).toMatchObject([{ kind: 'lost', reason: 'no-worker' }]);
    expect(submit('b').results).toEqual([]);
  });

  test('I1, I3: a call that is given up fails at once, makes room, and its answer is dropped', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker({ workerId: 'w1' });
    dispatcher.addWorker(worker, channel);
    dispatcher.limitPerWorker(1);
    const [first, second] = [submit('a'), submit('b')];
    const error = { message: 'nobody reaches the worker', stack: '', type: '' };
    dispatcher.giveUp('a', error);
    dispatcher.giveUp('unknown', error);
    expect([first.results, second.results]).toEqual([[{ kind: 'refused', error }], []]);
    expect(channel.kinds).toEqual(['invocationRequest', 'invocationRequest']);
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(first.results).toHaveLength(1);
    expect([...worker.inFlight.drain()].map(({ invocationId }) => invocationId)).toEqual(['b']);
  });

  test('a held call can be cancelled; a running one only where the worker can', () => {
    const { dispatcher, submit } = createDispatcher();
    const held = submit('a');
    dispatcher.cancel('a');
    expect(held.results).toEqual([{ kind: 'cancelled' }]);
    const plain = createReadyWorker({ workerId: 'w1' });
    dispatcher.addWorker(plain.worker, plain.channel);
    submit('b');
    dispatcher.cancel('b');
    expect(plain.channel.kinds).toEqual(['invocationRequest']);
    dispatcher.removeWorker(plain.worker, 'test');
    const able = createReadyWorker({ workerId: 'w2', capabilities: ['HandlesInvocationCancelMessage'] });
    dispatcher.addWorker(able.worker, able.channel);
    submit('c');
    dispatcher.cancel('c');
    dispatcher.cancel('unknown');
    expect(able.channel.kinds).toEqual(['invocationRequest', 'invocationCancel']);
  });

  test('I1, I3: every call is settled exactly once, in-flight counts return to zero, whatever happens', async () => {
    const step = fc.record({
      kind: fc.constantFrom('submit', 'answer', 'stray', 'add', 'remove', 'fill', 'drain', 'cancel', 'wait', 'health'),
      pick: fc.nat({ max: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom('leastLoaded', 'roundRobin', 'partitionAffinity'),
        async (steps, strategy) => {
          const run = createDispatcher({
            strategy: strategy as DispatchStrategy,
            functionTimeoutMs: 8_000,
          });
          const { clock, dispatcher } = run;
          const calls: SampleCall[] = [];
          let connected: ReturnType<typeof createReadyWorker>[] = [];
          for (const { kind, pick } of steps) {
            const one = connected[pick % Math.max(1, connected.length)];
            const call = calls[pick % Math.max(1, calls.length)];
            if (kind === 'submit') calls.push(run.submit(String(calls.length), String(pick % 4)));
            else if (kind === 'answer' && one) {
              const oldest = one.worker.inFlight.oldest();
              if (oldest) dispatcher.answer(one.worker, sampleAnswer(oldest.invocationId));
            } else if (kind === 'stray' && one && call) dispatcher.answer(one.worker, sampleAnswer(call.invocationId));
            else if (kind === 'add') {
              const added = createReadyWorker({
                workerId: `w${calls.length}-${connected.length}-${pick}`,
                inFlightCapacity: 1 + (pick % 3),
                capabilities: pick % 2 === 0 ? ['HandlesInvocationCancelMessage'] : [],
              });
              connected.push(added);
              dispatcher.addWorker(added.worker, added.channel);
            } else if (kind === 'remove' && one) {
              connected = connected.filter((other) => other !== one);
              dispatcher.removeWorker(one.worker, 'test');
            } else if (kind === 'fill') one?.channel.fill();
            else if (kind === 'drain') one?.channel.drain();
            else if (kind === 'cancel' && call) dispatcher.cancel(call.invocationId);
            else if (kind === 'wait') await clock.advance(pick * 400);
            else if (kind === 'health' && one) {
              if (one.worker.state.kind === 'ready') one.worker.transition({ kind: 'unhealthy', cause: 'silent' });
              else one.worker.transition({ kind: 'ready' });
            }
            for (const { worker } of connected) {
              expect(worker.inFlight.size).toBeGreaterThanOrEqual(0);
              expect(worker.inFlight.size).toBeLessThanOrEqual(worker.inFlight.capacity);
            }
            expect(dispatcher.heldCount).toBeLessThanOrEqual(3);
          }
          dispatcher.close();
          for (const { worker } of connected) dispatcher.removeWorker(worker, 'end');
          await clock.advance(100_000);
          expect(calls.map(({ results }) => results.length)).toEqual(calls.map(() => 1));
          expect(connected.every(({ worker }) => worker.inFlight.size === 0)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('I7: a call that has to wait for its turn is held, and sent when the turn comes', () => {
    const turns: (() => boolean)[] = [];
    let room = 1;
    let inFlight = 0;
    const share = (onTurn: () => boolean) => {
      turns.push(onTurn);
      return {
        take: () => {
          if (room === 0) return false;
          room -= 1;
          inFlight += 1;
          return true;
        },
        give: () => {
          inFlight -= 1;
        },
        leave: () => turns.pop(),
      };
    };
    const { dispatcher, submit } = createDispatcher({}, share);
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    const [first, second] = [submit('a'), submit('b')];
    expect([channel.kinds.length, dispatcher.heldCount, inFlight]).toEqual([1, 1, 1]);
    expect(dispatcher.pacedCount).toBe(1);
    dispatcher.answer(worker, sampleAnswer('a'));
    expect([first.results.length, channel.kinds.length, inFlight]).toEqual([1, 1, 0]);
    inFlight += 1;
    expect(turns[0]?.()).toBe(true);
    expect([channel.kinds.length, turns[0]?.()]).toEqual([2, false]);
    dispatcher.answer(worker, sampleAnswer('b'));
    expect([second.results.length, inFlight]).toEqual([1, 0]);
    dispatcher.close();
    expect(turns).toEqual([]);
  });

  test.each([
    [
      'an answer',
      (run: ReturnType<typeof createDispatcher>, worker: Worker) => run.dispatcher.answer(worker, sampleAnswer('a')),
    ],
    [
      'the loss of its worker',
      (run: ReturnType<typeof createDispatcher>, worker: Worker) => run.dispatcher.removeWorker(worker, 'gone'),
    ],
    ['its timeout', (run: ReturnType<typeof createDispatcher>) => run.clock.advance(60_000)],
  ])('I7: %s gives the place of a call back once', async (_what, end) => {
    let inFlight = 0;
    const share = () => ({
      take: () => {
        inFlight += 1;
        return true;
      },
      give: () => {
        inFlight -= 1;
      },
      leave: () => {},
    });
    const run = createDispatcher({}, share);
    const { worker, channel } = createReadyWorker();
    run.dispatcher.addWorker(worker, channel);
    run.submit('a');
    const broken = new SampleCall('x');
    broken.encode = () => {
      throw new RangeError('too deep');
    };
    run.dispatcher.submit(broken);
    expect(inFlight).toBe(1);
    await end(run, worker);
    run.dispatcher.answer(worker, sampleAnswer('a'));
    run.dispatcher.removeWorker(worker, 'gone');
    expect(inFlight).toBe(0);
  });

  test('I8: no worker gets more calls at once than the limit; what waits counts as waiting, not as refused', async () => {
    const { clock, dispatcher, submit } = createDispatcher();
    const [one, two] = [createReadyWorker(), createReadyWorker({ workerId: 'w2' })];
    dispatcher.limitPerWorker(1);
    dispatcher.addWorker(one.worker, one.channel);
    const calls = ['a', 'b', 'c'].map((id) => submit(id));
    expect([one.worker.inFlight.size, dispatcher.heldCount]).toEqual([1, 2]);
    // They wait for a worker.
    expect(dispatcher.pacedCount).toBe(0);
    dispatcher.addWorker(two.worker, two.channel);
    expect([two.worker.inFlight.size, dispatcher.heldCount]).toEqual([1, 1]);
    // As long as a call waits for a first worker, and not only as long as for one that is blocked.
    await clock.advance(defaultLimits.backPressureMs + 1);
    expect([dispatcher.heldCount, dispatcher.refusedCount, dispatcher.blockedCount]).toEqual([1, 0, 0]);
    dispatcher.limitPerWorker(2);
    expect([dispatcher.heldCount, calls.flatMap(({ results }) => results)]).toEqual([0, []]);
  });

  test('I9: a closed lane gets nothing, tells its end, and may be opened again', () => {
    const drained: string[] = [];
    const { dispatcher, submit, starving } = createDispatcher({ onDrained: ({ workerId }) => drained.push(workerId) });
    const { worker, channel } = createReadyWorker();
    dispatcher.addWorker(worker, channel);
    for (const id of ['a', 'b']) submit(id);
    dispatcher.closeLane(worker);
    submit('c');
    expect([worker.inFlight.size, dispatcher.heldCount, starving.length]).toEqual([2, 1, 1]);
    dispatcher.answer(worker, sampleAnswer('a'));
    expect(drained).toEqual([]);
    dispatcher.answer(worker, sampleAnswer('b'));
    expect(drained).toEqual(['w1']);
    dispatcher.openLane(worker);
    expect([worker.inFlight.size, dispatcher.heldCount]).toEqual([1, 0]);
  });

  test('counts what it refuses because nobody has room', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker({ inFlightCapacity: 1 });
    dispatcher.addWorker(worker, channel);
    for (const id of ['a', 'b', 'c', 'd', 'e']) submit(id);
    expect([dispatcher.refusedCount, dispatcher.blockedCount]).toEqual([1, 1]);
  });

  test('I8: a soft limit is given up before anybody is refused for it', () => {
    const { dispatcher, submit } = createDispatcher();
    const { worker, channel } = createReadyWorker();
    dispatcher.limitPerWorker(1, true);
    dispatcher.addWorker(worker, channel);
    // Three may wait: with two that do it is half full.
    for (const id of ['a', 'b', 'c']) submit(id);
    expect([worker.inFlight.size, dispatcher.heldCount]).toEqual([1, 2]);
    for (const id of ['d', 'e', 'f', 'g']) submit(id);
    expect([worker.inFlight.size, dispatcher.heldCount, dispatcher.refusedCount]).toEqual([7, 0, 0]);
    dispatcher.limitPerWorker(1);
    for (const id of ['h', 'i', 'j', 'k']) submit(id);
    expect([worker.inFlight.size, dispatcher.heldCount, dispatcher.refusedCount]).toEqual([7, 3, 1]);
  });
});
