import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMemoryMeter } from '@switchyard/telemetry';
import { describe, expect, it } from 'vitest';
import { withMetrics } from './metrics-endpoint.ts';

function ask(url: string, { method = 'GET', remoteAddress = '127.0.0.1' } = {}) {
  const meter = createMemoryMeter();
  meter.count('calls');
  const heard: unknown[] = [];
  const response = {
    writeHead(status: number) {
      heard.push(status);
      return this;
    },
    end: (body: string) => heard.push(body),
  };
  const handler = withMetrics(meter, () => heard.push('passed on'));
  handler({ url, method, socket: { remoteAddress } } as IncomingMessage, response as unknown as ServerResponse);
  return heard;
}

describe('withMetrics', () => {
  it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('answers callers on this machine (%s)', (remoteAddress) => {
    expect(ask('/runtime/metrics?x=1', { remoteAddress })).toEqual([
      200,
      expect.stringContaining('switchyard_calls_total 1'),
    ]);
  });

  it.each([
    ['/runtime/metrics', { remoteAddress: '192.0.2.1' }],
    ['/runtime/metrics', { method: 'POST' }],
    ['/api/hello', {}],
    ['/runtime/metrics/more', {}],
  ])('passes on %s of %j', (url, given) => {
    expect(ask(url, given)).toEqual(['passed on']);
  });
});
