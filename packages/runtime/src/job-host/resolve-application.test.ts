import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { createApplication } from '../testing/sample-application.ts';
import { resolveApplication } from './resolve-application.ts';

const resolve = (settings: Readonly<Record<string, string>>, hostJson?: unknown) =>
  resolveApplication(createApplication({ settings, hostJson }), { cpus: 2, limits: defaultLimits });

describe('resolveApplication', () => {
  test('an app that says nothing gets the defaults of the official host', () => {
    const { scaling, bodyLimitBytes, isHomepageDisabled, responseHeaders, host } = resolve({});
    expect({ scaling, bodyLimitBytes, isHomepageDisabled, responseHeaders }).toEqual({
      scaling: { standing: 1, active: 1, idleMs: undefined, holdMs: 30_000 },
      bodyLimitBytes: 104_857_600,
      isHomepageDisabled: false,
      responseHeaders: [],
    });
    expect([host.functionTimeoutMs, host.extensions.http.routePrefix]).toEqual([1_800_000, 'api']);
  });

  test.each([
    ['3', 3],
    [' 4 ', 4],
    ['0', 1],
    ['99', 10],
    ['-1', 1],
    ['many', 1],
    ['2.5', 1],
    ['', 1],
  ])('FUNCTIONS_WORKER_PROCESS_COUNT=%j asks for %d workers', (value, count) => {
    expect(resolve({ FUNCTIONS_WORKER_PROCESS_COUNT: value }).scaling).toMatchObject({
      standing: count,
      active: count,
    });
  });

  test.each([
    [
      { alwaysReady: 0, idleMs: 5_000 },
      { standing: 0, active: 2, idleMs: 5_000, holdMs: 30_000 },
    ],
    [
      { alwaysReady: 1, idleMs: 5_000, holdMs: 9 },
      { standing: 1, active: 2, idleMs: 5_000, holdMs: 9 },
    ],
    [
      { alwaysReady: 4, idleMs: 5_000 },
      { standing: 4, active: 4, idleMs: 5_000, holdMs: 30_000 },
    ],
    [
      { alwaysReady: 4, idleMs: 5_000, maximum: 3 },
      { standing: 3, active: 3, idleMs: 5_000, holdMs: 30_000 },
    ],
    [
      { alwaysReady: 0, idleMs: 5_000, maximum: 1 },
      { standing: 0, active: 1, idleMs: 5_000, holdMs: 30_000 },
    ],
  ])('scale %j with two processes means %j', (scale, expected) => {
    const application = createApplication({ scale, settings: { FUNCTIONS_WORKER_PROCESS_COUNT: '2' } });
    expect(resolveApplication(application, { cpus: 1, limits: defaultLimits }).scaling).toEqual(expected);
  });

  test.each([
    [{ alwaysReady: -1, idleMs: 5_000 }, 'scale.alwaysReady is -1, but must be a whole number, 0 or more'],
    [{ alwaysReady: 0.5, idleMs: 5_000 }, 'scale.alwaysReady is 0.5'],
    [{ alwaysReady: 0, idleMs: 0 }, 'scale.idleMs is 0, but must be milliseconds, more than 0'],
    [{ alwaysReady: 0, idleMs: Number.NaN }, 'scale.idleMs is NaN'],
    [{ alwaysReady: 0, idleMs: 1, maximum: 0 }, 'scale.maximum is 0'],
    [{ alwaysReady: 0, idleMs: 1, holdMs: -5 }, 'scale.holdMs is -5'],
  ])('scale %j is refused: %s', (scale, message) => {
    const application = createApplication({ scale });
    expect(() => resolveApplication(application, { cpus: 1, limits: defaultLimits })).toThrow(
      expect.objectContaining({ code: 'APPLICATION_SCALE_INVALID', message: expect.stringContaining(message) }),
    );
  });

  test.each([
    ['True', true],
    ['1', true],
    ['false', false],
    ['', false],
  ])('WEBSITE_AUTH_ENABLED=%j: a proxy in front says who calls: %s', (value, expected) => {
    expect(resolve({ WEBSITE_AUTH_ENABLED: value }).isAuthenticatedInFront).toBe(expected);
  });

  test.each([
    ['1000', 1_000],
    ['0', 0],
    ['x', 104_857_600],
  ])('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT=%j allows %d bytes', (value, limit) => {
    expect(resolve({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: value }).bodyLimitBytes).toBe(limit);
  });

  test('reads host.json with its overrides in the settings', () => {
    const { host, responseHeaders } = resolve(
      { AzureFunctionsJobHost__functionTimeout: '00:00:07' },
      { version: '2.0', extensions: { http: { customHeaders: { A: '1', B: '2' } } } },
    );
    expect(host.functionTimeoutMs).toBe(7_000);
    expect(responseHeaders).toEqual(['A', '1', 'B', '2']);
  });
});
