import type { JobLogEvent } from '@switchyard/protocol/job-api';
import { VirtualClock } from '@switchyard/testkit';
import { describe, expect, it } from 'vitest';
import { jobErrors } from './errors.ts';
import { followJob } from './follow-job.ts';

const never = new AbortController().signal;
const output = (text: string, stream: 'stdout' | 'stderr' = 'stdout'): JobLogEvent => ({
  name: 'output',
  data: { stream, text },
});
const ended: JobLogEvent = { name: 'ended', data: { job_id: 'a', state: 'finished', exit_code: 0, error: null } };
const restarted: JobLogEvent = { name: 'restarted', data: {} };

/** Follows connections one after the other; each ends when its events are over. */
function follow(...connections: readonly (readonly JobLogEvent[] | Error)[]) {
  const clock = new VirtualClock();
  const out: string[] = [];
  const err: string[] = [];
  let next = 0;
  const client = {
    async *follow() {
      const events = connections[next] ?? jobErrors.create('AGENT_UNREACHABLE', { endpoint: 'x', reason: 'away' });
      next += 1;
      if (events instanceof Error) throw events;
      yield* events;
    },
  };
  const context = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  };
  const end = followJob(client, 'a', { clock, context, signal: never });
  return { clock, end, out: () => out.join(''), err: () => err.join('') };
}

describe('followJob', () => {
  it('prints both streams until the end', async () => {
    const { end, out, err } = follow([output('one '), output('bad', 'stderr'), output('two'), ended]);
    expect(await end).toMatchObject({ state: 'finished' });
    expect([out(), err()]).toEqual(['one two', 'bad']);
  });

  it('I1: goes on behind what it has printed when the connection was lost', async () => {
    const { clock, end, out } = follow([output('one tw')], [output('one'), output(' two'), output(' three'), ended]);
    await clock.advance(1_000);
    await end;
    expect(out()).toBe('one two three');
  });

  it('I1: goes on behind what it has printed when everything comes again', async () => {
    const { end, out } = follow([output('one '), restarted, output('o'), output('ne two'), ended]);
    await end;
    expect(out()).toBe('one two');
  });

  it('says when pieces are missing', async () => {
    const { end, err } = follow([{ name: 'missed', data: { chunks: 3 } }, ended]);
    await end;
    expect(err()).toContain('3 pieces are missing');
  });

  it('gives up when the agent stays away, and at once on any other error', async () => {
    const { clock, end } = follow([output('x')]);
    const outcome = end.catch((error: unknown) => error);
    await clock.advance(120_000);
    expect(await outcome).toMatchObject({ code: 'AGENT_UNREACHABLE' });
    const unknown = jobErrors.create('AGENT_JOB_UNKNOWN', { jobId: 'a', endpoint: 'x', reason: 'never had' });
    await expect(follow(unknown).end).rejects.toMatchObject({ code: 'AGENT_JOB_UNKNOWN' });
  });
});
