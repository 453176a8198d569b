import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@switchyard/kernel';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Closers } from '../dev/closers.ts';
import { openHttpProxy } from './open-http-proxy.ts';

let folder: string;
let closers: Closers;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-proxy-'));
  closers = new Closers(silentLog);
});
afterEach(async () => {
  await closers.close();
  rmSync(folder, { recursive: true });
});

const noTls = { certificate: undefined, key: undefined, authority: undefined };
const anywhere = { host: undefined, port: undefined, url: undefined };

describe('openHttpProxy', () => {
  it('stays on loopback, in clear, unless it is told otherwise', async () => {
    const proxy = await openHttpProxy({ http: anywhere, tls: noTls, allowClearTokens: false }, closers);
    expect(proxy.open('http://127.0.0.1:1').uri).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it('shows a certificate on any other address, and is announced as it is found', async () => {
    const { certificate, key } = createSelfSigned('pod');
    const tls = { ...noTls, certificate: join(folder, 'tls.crt'), key: join(folder, 'tls.key') };
    writeFileSync(tls.certificate, certificate);
    writeFileSync(tls.key, key);
    const http = { ...anywhere, host: '0.0.0.0', url: 'https://pod.example' };
    const proxy = await openHttpProxy({ http, tls, allowClearTokens: false }, closers);
    expect(proxy.open('http://127.0.0.1:1').uri).toBe('https://pod.example');
    const own = await openHttpProxy(
      { http: { ...anywhere, host: '127.0.0.2' }, tls, allowClearTokens: false },
      closers,
    );
    const { uri } = own.open('http://127.0.0.1:1');
    expect(uri).toMatch(/^https:\/\/127\.0\.0\.2:\d+$/);
    const status = await new Promise((resolve, reject) =>
      get(uri, { ca: certificate, servername: 'localhost' }, (answer) => resolve(answer.resume().statusCode)).on(
        'error',
        reject,
      ),
    );
    expect(status).toBe(407);
  });

  it.each([
    ['SIDECAR_PROXY_IN_CLEAR', { ...anywhere, host: '10.1.2.3' }, false],
    ['SIDECAR_PROXY_ADDRESS', { ...anywhere, host: '0.0.0.0' }, true],
    ['SIDECAR_PROXY_ADDRESS', { ...anywhere, host: '127.0.0.1', url: 'pod.example' }, true],
  ])('refuses with %s', async (code, http, allowClearTokens) => {
    await expect(openHttpProxy({ http, tls: noTls, allowClearTokens }, closers)).rejects.toMatchObject({ code });
  });
});
