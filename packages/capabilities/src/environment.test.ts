import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { ambientTraceKey, capabilities, env, environmentNames } from './environment.ts';
import { LineTransport } from './rpc/line-transport.ts';
import { openSession } from './rpc/session.ts';
import { FakeBroker } from './testing/fake-broker.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
  Reflect.deleteProperty(globalThis, ambientTraceKey);
  vi.unstubAllEnvs();
});

async function serve(): Promise<FakeBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'capabilities-'));
  const broker = new FakeBroker();
  const server = createServer((socket) => {
    const transport = new LineTransport(socket, { maxLineBytes: 100_000, lost: (detail) => new Error(detail) });
    openSession(transport, { main: broker.gate() });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'broker'), resolve));
  vi.stubEnv(environmentNames.endpoint, `unix:${join(folder, 'broker')}`);
  vi.stubEnv(environmentNames.token, 'good');
  closers.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => server.close(),
    () => capabilities.close(),
  );
  return broker;
}

test('without a broker in the environment the first use says which variable is missing', async () => {
  vi.stubEnv(environmentNames.endpoint, '');
  await expect(capabilities.list()).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringContaining('SWITCHYARD_CAPABILITIES_ENDPOINT is not set'),
  });
});

test('the ready-made client and the binding of the founding document are one', async () => {
  const broker = await serve();
  const caps = await env.CAPABILITY_BROKER.acquire({ required: ['probe'], version: '>=1.0' });
  expect(await caps.endpoints.get('probe')?.greet?.('you')).toBe('broker greet');
  expect([broker.tokens, env.CAPABILITY_BROKER === capabilities]).toEqual([['good'], true]);
});

test('calls carry the trace of the invocation that makes them, unless they name another', async () => {
  const broker = await serve();
  let current: unknown = '00-a-b-01';
  Reflect.set(globalThis, ambientTraceKey, () => current);
  const binding = await capabilities.use('probe');
  await binding.greet?.();
  current = '00-c-d-01';
  await binding.greet?.();
  current = 5;
  await binding.greet?.();
  expect(broker.messages[0]).toMatchObject({ traceparent: '00-a-b-01' });
  expect(broker.calls).toEqual([
    ['greet', [], { traceparent: '00-a-b-01' }],
    ['greet', [], { traceparent: '00-c-d-01' }],
    ['greet', [], {}],
  ]);
});
