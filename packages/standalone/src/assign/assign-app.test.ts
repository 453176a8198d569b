import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AssignOptions, assignApp } from './assign-app.ts';

let folder: string;
const servers: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-assign-'));
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

/** A sidecar that takes whatever app it is given. */
async function serve(workerId: string, endpoint: string, app = '', version = '24'): Promise<string> {
  let serving = app;
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      serving = 'shop';
      request.resume().on('end', () => response.end('{}'));
      return;
    }
    const stack = { runtime: 'node', version, architecture: 'x64' };
    const who = { worker_id: workerId, runtime_endpoint: endpoint, stack };
    const what = { application_id: serving, tenant_id: '', is_placeholder: serving === '' };
    response.end(JSON.stringify({ state: serving === '' ? 'warm' : 'relaying', data: { ...who, ...what } }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const assign = (sidecarUrls: readonly string[], more: Partial<AssignOptions> = {}) =>
  assignApp({
    app: {
      application: { applicationId: 'shop', metadataVersion: '1.0.0', codeVersion: '1.0.0' },
      tenantId: 'contoso',
      content: { kind: 'folder', scriptRoot: '/apps/shop' },
      settings: new Map(),
    },
    ...{ count: 1, sidecarUrls, affinity: 'none', maxWorkersPerRuntime: 20, environment: {} },
    allowClearTokens: false,
    ...{ keys: join(folder, 'keys'), dataDirectory: join(folder, 'data') },
    ...more,
  });

describe('assignApp', () => {
  it('takes those on the own Runtime first, then those on others, and says what is missing', async () => {
    const urls = await Promise.all([
      serve('w1', 'http://a', 'shop'),
      serve('w2', 'http://b'),
      serve('w3', 'http://a'),
      serve('w4', 'http://b', '', '22'),
    ]);
    expect(await assign(urls)).toEqual({
      ...{ workers: [{ workerId: 'w3', movedFrom: undefined }], runtimeUrl: 'http://a' },
      ...{ missing: 0, reason: undefined },
    });
    expect(await assign(urls, { affinity: 'strict' })).toMatchObject({ workers: [], missing: 1 });
    const rest = await assign(urls, { count: 5 });
    expect(rest).toMatchObject({ workers: [{ workerId: 'w2', movedFrom: 'http://b' }], missing: 4 });
    expect(rest.reason).toContain('warm');
  });

  it('sends nothing in clear to another machine', async () => {
    await expect(assign(['http://pods.example:7073'])).rejects.toMatchObject({ code: 'TOKEN_IN_CLEAR' });
  });

  it('has to be told of the Runtime and the stack while nobody serves the app', async () => {
    const urls = [await serve('w1', '')];
    await expect(assign(urls)).rejects.toMatchObject({ code: 'ASSIGN_RUNTIME_UNKNOWN' });
    const runtimeUrl = 'http://a';
    await expect(assign(urls, { runtimeUrl })).rejects.toMatchObject({ code: 'ASSIGN_STACK_UNKNOWN' });
    const python = assign(urls, { runtimeUrl, stack: { runtime: 'python' } });
    await expect(python).rejects.toMatchObject({ message: expect.stringContaining('python') });
    expect(await assign(urls, { runtimeUrl, stack: { runtime: 'node' } })).toMatchObject({
      ...{ missing: 0, workers: [{ workerId: 'w1', movedFrom: undefined }] },
    });
  });
});
