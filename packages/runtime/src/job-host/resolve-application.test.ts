import { describe, expect, test } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { createApplication } from '../testing/sample-application.ts';
import { resolveApplication } from './resolve-application.ts';

const resolve = (settings: Readonly<Record<string, string>>, hostJson?: unknown) =>
  resolveApplication(createApplication({ settings, hostJson }), { cpus: 2, limits: defaultLimits });

describe('resolveApplication', () => {
  test('an app that says nothing gets the defaults of the official host', () => {
    const { workerCount, bodyLimitBytes, isHomepageDisabled, responseHeaders, host } = resolve({});
    expect({ workerCount, bodyLimitBytes, isHomepageDisabled, responseHeaders }).toEqual({
      workerCount: 1,
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
    expect(resolve({ FUNCTIONS_WORKER_PROCESS_COUNT: value }).workerCount).toBe(count);
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
