import { describe, expect, it } from 'vitest';
import { defaultSidecarServerLimits, toSidecarServerOptions } from './server-options.ts';

describe('toSidecarServerOptions', () => {
  it('limits headers, requests and idle connections, and looks often enough to mean it', () => {
    const { checkMs, headersMs } = defaultSidecarServerLimits;
    expect(toSidecarServerOptions()).toEqual({
      headersTimeout: 10_000,
      requestTimeout: 60_000,
      keepAliveTimeout: 30_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 32_768,
    });
    expect(checkMs).toBeLessThan(headersMs);
  });

  it('shows the certificate, and asks for none unless an authority is named', () => {
    const options = toSidecarServerOptions({ certificate: 'C', key: 'K' });
    expect(options).toMatchObject({ cert: 'C', key: 'K', minVersion: 'TLSv1.2' });
    expect(options).not.toHaveProperty('requestCert');
    expect(toSidecarServerOptions({ certificate: 'C', key: 'K', clientCa: 'A' })).toMatchObject({
      ca: 'A',
      requestCert: true,
      rejectUnauthorized: true,
    });
  });
});
