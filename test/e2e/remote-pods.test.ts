/** A Runtime and a pod that have nothing in common but a wire: the pod lives in a network namespace of its own. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { requireOptionalPart } from '@switchyard/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Installation, type RuntimeHost } from './decoupled-processes.ts';
import { patienceMs, testApp } from './dev-process.ts';

/** The ends of the wire. */
const near = '10.213.77.1';
const far = '10.213.77.2';
const names = { space: `sy-${process.pid}`, near: `sya${process.pid}`, far: `syb${process.pid}` };

const ip = (...words: readonly string[]): void => void execFileSync('ip', words, { stdio: 'pipe' });

/** Says why no namespace can be made here; undefined where it can. */
function whyNoNamespace(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux';
  try {
    ip('netns', 'add', `${names.space}-try`);
    ip('netns', 'delete', `${names.space}-try`);
    return undefined;
  } catch (thrown) {
    return `no network namespace can be made here: ${String(thrown)}`;
  }
}

const reason = whyNoNamespace();
const namespacePart = requireOptionalPart('a network namespace', reason === undefined, `Here: ${reason}.`);

describe.skipIf(namespacePart.skip)('a pod in a network of its own', () => {
  let installation: Installation;
  let node: string;
  let runtime: RuntimeHost;
  const tls = (name: string): readonly string[] => [
    ...['--tls-certificate', join(installation.folder, `${name}.crt`)],
    ...['--tls-key', join(installation.folder, `${name}.key`)],
  ];

  beforeEach(async () => {
    installation = await Installation.open();
    ip('netns', 'add', names.space);
    ip('link', 'add', names.near, 'type', 'veth', 'peer', 'name', names.far);
    ip('link', 'set', names.far, 'netns', names.space);
    ip('addr', 'add', `${near}/30`, 'dev', names.near);
    ip('link', 'set', names.near, 'up');
    ip('-n', names.space, 'addr', 'add', `${far}/30`, 'dev', names.far);
    ip('-n', names.space, 'link', 'set', names.far, 'up');
    ip('-n', names.space, 'link', 'set', 'lo', 'up');
    for (const [name, address] of [
      ['runtime', near],
      ['pod', far],
    ] as const) {
      const { certificate, key } = createSelfSigned(name, [address]);
      await writeFile(join(installation.folder, `${name}.crt`), certificate);
      await writeFile(join(installation.folder, `${name}.key`), key);
    }
    node = join(installation.folder, 'node-there');
    await writeFile(node, `#!/bin/sh\nexec ip netns exec ${names.space} '${process.execPath}' "$@"\n`);
    await chmod(node, 0o755);
  });
  afterEach(async () => {
    await installation.close();
    ip('netns', 'delete', names.space);
  });

  const startPod = async (flags: readonly string[]): Promise<void> => {
    const app = { applicationId: 'echo', tenantId: 'contoso', scriptRoot: testApp('streaming-echo') };
    const trust = ['--runtime-ca', join(installation.folder, 'runtime.crt'), ...tls('pod')];
    await installation.startSidecar({
      workerId: 'w1',
      app,
      runtimeUrl: runtime.rpcUrl,
      node,
      flags: [...trust, '--http-host', far, ...flags],
    });
  };
  const startRuntime = async (...flags: readonly string[]): Promise<void> => {
    runtime = await installation.startRuntime({ flags: ['--rpc-host', near, ...tls('runtime'), ...flags] });
  };
  const answered = async (status: number): Promise<void> => {
    const call = async () => (await runtime.call('echo', '/api/echo', { method: 'POST', body: 'x' })).status;
    await expect.poll(call, { timeout: patienceMs }).toBe(status);
  };

  it('streams HTTP in both directions over its sidecar’s own port, with TLS and a token', async () => {
    await startRuntime('--worker-network', `${far}/32`, '--worker-ca', join(installation.folder, 'pod.crt'));
    await startPod([]);
    await answered(200);
    const options = { host: '127.0.0.1', port: runtime.port, path: '/api/echo', method: 'POST' };
    const outgoing = request({ ...options, headers: { host: 'echo.localhost' } });
    outgoing.write('first');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    const chunks = response[Symbol.asyncIterator]();
    // The answer has begun while the request goes on.
    expect(String((await chunks.next()).value)).toBe('first');
    outgoing.end('second');
    expect(String((await chunks.next()).value)).toBe('second');
    // Nothing of it went over this machine's loopback: the worker's own port is in another network.
    expect(readFileSync(join('/sys/class/net', names.near, 'statistics/rx_bytes'), 'utf8')).not.toBe('0\n');
  });

  it('is not called where the Runtime was not told of its network, nor with a certificate that nobody signed', async () => {
    await startRuntime();
    await startPod([]);
    await answered(500);
    await expect.poll(() => runtime.process.output).toContain('--worker-network');
    await runtime.kill();
    runtime = await installation.startRuntime({
      after: runtime,
      flags: ['--rpc-host', near, ...tls('runtime'), '--worker-network', far],
    });
    await answered(500);
    // The worker waits for a request that nobody sends: that it does not run until its time is up is told at once.
    await expect.poll(() => runtime.process.output).toContain("Executed 'Functions.echo' (Failed");
    expect(runtime.process.output).not.toMatch(/Executed 'Functions.echo' \(Succeeded/);
  });
});
