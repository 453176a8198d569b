import { describe, expect, it } from 'vitest';
import { JobOutput, type OutputEvent } from './job-output.ts';

const never = new AbortController().signal;

async function collect(events: AsyncIterable<OutputEvent>): Promise<OutputEvent[]> {
  const all: OutputEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const textOf = (events: readonly OutputEvent[], stream: string): string =>
  events.map((event) => (event.kind === 'output' && event.stream === stream ? event.text : '')).join('');

describe('JobOutput', () => {
  it('I1: gives what is kept, then what comes, in order and once', async () => {
    const output = new JobOutput(1_000);
    output.write('stdout', Buffer.from('one '));
    output.write('stderr', Buffer.from('err '));
    const following = collect(output.follow(never));
    await Promise.resolve();
    output.write('stdout', Buffer.from('two '));
    output.write('stdout', Buffer.from('thr\u20ac').subarray(0, 4));
    output.write('stdout', Buffer.from('thr\u20ac').subarray(4));
    output.end();
    const events = await following;
    expect(textOf(events, 'stdout')).toBe('one two thr\u20ac');
    expect(textOf(events, 'stderr')).toBe('err ');
  });

  it('I1: says when everything comes again', async () => {
    const output = new JobOutput(1_000);
    const following = collect(output.follow(never));
    await Promise.resolve();
    output.write('stdout', Buffer.from('a'));
    output.restart();
    output.write('stdout', Buffer.from('ab'));
    output.end();
    expect((await following).map(({ kind }) => kind)).toEqual(['output', 'restarted', 'output']);
    expect(output.kept().stdout.text).toBe('ab');
  });

  it('I2: drops chunks for a follower that does not keep up, tells it, and holds nobody up', async () => {
    const output = new JobOutput(100_000);
    const slow = output.follow(never);
    output.write('stdout', Buffer.from('first'));
    expect(await slow.next()).toMatchObject({ value: { text: 'first' } });
    const waiting = slow.next();
    for (let index = 0; index < 2_000; index += 1) output.write('stdout', Buffer.from('x'));
    output.end();
    const events = [(await waiting).value as OutputEvent, ...(await collect(slow))];
    const missed = events.filter((event) => event.kind === 'missed');
    expect(missed).toEqual([{ kind: 'missed', chunks: 2_000 - 1_024 }]);
    expect(textOf(events, 'stdout').length).toBe(1_024);
    expect(output.kept().stdout.text.length).toBe(2_005);
  });

  it('I3: ends every follower, also one that comes later', async () => {
    const output = new JobOutput(1_000);
    const early = [collect(output.follow(never)), collect(output.follow(never))];
    await Promise.resolve();
    output.write('stdout', Buffer.from('x'));
    output.end();
    for (const events of await Promise.all(early)) expect(textOf(events, 'stdout')).toBe('x');
    expect(textOf(await collect(output.follow(never)), 'stdout')).toBe('x');
  });

  it('lets a follower go with its signal', async () => {
    const output = new JobOutput(1_000);
    const leave = new AbortController();
    const following = collect(output.follow(leave.signal));
    leave.abort();
    expect(await following).toEqual([]);
    expect(await collect(output.follow(AbortSignal.abort()))).toEqual([]);
  });

  it('counts what it dropped, by stream', () => {
    const output = new JobOutput(10);
    output.write('stdout', Buffer.alloc(25, 'a'));
    output.write('stderr', Buffer.from('short'));
    expect(output.kept()).toMatchObject({ stdout: { droppedBytes: 15 }, stderr: { text: 'short', droppedBytes: 0 } });
  });
});
