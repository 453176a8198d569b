import { describe, expect, test } from 'vitest';
import { workerEdges } from './worker-state.ts';

describe('the worker machine', () => {
  test('has exactly these edges', () => {
    expect(workerEdges).toEqual({
      initializing: ['placeholder', 'loading', 'draining', 'stopped', 'lost'],
      placeholder: ['specializing', 'draining', 'stopped', 'lost'],
      specializing: ['loading', 'draining', 'lost', 'abandoned'],
      loading: ['ready', 'draining', 'lost', 'abandoned'],
      ready: ['unhealthy', 'draining', 'lost', 'abandoned'],
      unhealthy: ['ready', 'draining', 'lost', 'abandoned'],
      draining: ['stopped', 'lost', 'abandoned'],
      stopped: ['lost'],
      lost: ['initializing', 'stopped'],
      abandoned: ['lost'],
    });
  });

  test.each(Object.keys(workerEdges).filter((kind) => kind !== 'lost'))('%s may be lost', (kind) => {
    expect(workerEdges[kind as keyof typeof workerEdges]).toContain('lost');
  });

  test('only a worker that customer code reached can be abandoned, and it never serves again', () => {
    const abandonable = Object.entries(workerEdges).filter(([, next]) => next.includes('abandoned'));
    expect(abandonable.map(([kind]) => kind)).toEqual(['specializing', 'loading', 'ready', 'unhealthy', 'draining']);
    expect(workerEdges.abandoned).not.toContain('initializing');
  });
});
