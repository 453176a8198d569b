import { describe, expect, it } from 'vitest';
import { AgentMetrics } from './agent-metrics.ts';
import { changeJob, createJob, type Job } from './jobs/job.ts';
import { sampleJob } from './testing/sample-job.ts';

const none = { queued: 0, running: 0, finished: 0, failed: 0 };

/** A job that waited and ran for so long. */
function endedJob(id: string, waitMs: number, runMs: number, failed = false): Job {
  const running = changeJob(createJob(sampleJob(id), 1), { state: 'running', startedAtMs: waitMs });
  const finishedAtMs = waitMs + runMs;
  return failed
    ? changeJob(running, { state: 'failed', finishedAtMs, error: { code: 'TIMEOUT', message: 'late' } })
    : changeJob(running, { state: 'finished', finishedAtMs, exitCode: 0 });
}

const valuesOf = (page: string): Map<string, number> =>
  new Map(
    page
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice('switchyard_agent_'.length, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  );

describe('AgentMetrics', () => {
  it('I1: counts by error code, and never by id', () => {
    const metrics = new AgentMetrics();
    for (let index = 0; index < 50; index += 1) {
      metrics.accepted();
      metrics.ended(endedJob(`secret-id-${index}`, 0, 10, index % 2 === 0));
    }
    metrics.rejected('QUEUE_FULL');
    const page = metrics.toText({}, none);
    expect(page).not.toContain('secret-id');
    expect(Object.fromEntries(valuesOf(page))).toMatchObject({
      jobs_accepted_total: 50,
      jobs_finished_total: 25,
      'jobs_failed_total{code="TIMEOUT"}': 25,
      'jobs_rejected_total{code="QUEUE_FULL"}': 1,
    });
    const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('I2: has buckets that grow, and all of it in the last', () => {
    const metrics = new AgentMetrics();
    for (const runMs of [0, 100, 101, 5_000, 10_000_000]) metrics.ended(endedJob('a', 2_000, runMs));
    const values = valuesOf(metrics.toText({}, none));
    const buckets = [...values].filter(([name]) => name.startsWith('job_duration_seconds_bucket'));
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual([...counts].sort((left, right) => left - right));
    expect(values.get('job_duration_seconds_bucket{le="0.1"}')).toBe(2);
    expect(values.get('job_duration_seconds_bucket{le="3600"}')).toBe(4);
    expect(values.get('job_duration_seconds_bucket{le="+Inf"}')).toBe(5);
    expect(values.get('job_duration_seconds_count')).toBe(5);
    expect(values.get('job_duration_seconds_sum')).toBeCloseTo(10_005.201);
    expect(values.get('job_wait_seconds_sum')).toBe(10);
  });

  it('shows measurements of the moment, and leaves out what there is not', () => {
    const page = new AgentMetrics().toText({ running_jobs: 3, temperature_celsius: undefined }, { ...none, queued: 7 });
    expect(page).toContain('# TYPE switchyard_agent_running_jobs gauge\nswitchyard_agent_running_jobs 3\n');
    expect(page).toContain('switchyard_agent_jobs{state="queued"} 7\n');
    expect(page).not.toContain('temperature');
    expect(page.endsWith('\n')).toBe(true);
  });

  it('counts a job that was cancelled while it waited, and takes no time of it', () => {
    const metrics = new AgentMetrics();
    const error = { code: 'CANCELLED', message: 'gone' } as const;
    metrics.ended(changeJob(createJob(sampleJob('a'), 1), { state: 'failed', finishedAtMs: 5, error }));
    const values = valuesOf(metrics.toText({}, none));
    expect(values.get('jobs_failed_total{code="CANCELLED"}')).toBe(1);
    expect(values.get('job_duration_seconds_count')).toBe(0);
  });
});
