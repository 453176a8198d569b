/** A worker that takes HTTP itself is reached through its sidecar's proxy alone, and streams in both directions. */
import { type IncomingMessage, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildWorker } from '../conformance/worker-process.ts';
import { openDecoupledPlatform } from '../decoupled/decoupled-platform.ts';
import { createHelloApplication, helloDefinition } from '../decoupled/hello-application.ts';

const scriptRoot = fileURLToPath(new URL('./apps/streaming-echo', import.meta.url));

test('a streaming app behind a sidecar', async () => {
  const bundle = await buildWorker();
  const seen: string[] = [];
  const onWorkerHttp = (httpUri: string): void => void seen.push(httpUri);
  const options = { workerPath: bundle.path, minimum: 1, scriptRoot, onWorkerHttp };
  const platform = await openDecoupledPlatform(options);
  try {
    await platform.runtime.addApplication(createHelloApplication(helloDefinition, scriptRoot));
    const outgoing = request(`${platform.url}/api/echo`, { method: 'POST', headers: { authorization: 'mine' } });
    outgoing.write('first');
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    expect([response.statusCode, response.headers['x-caller']]).toEqual([200, 'mine']);
    const chunks = response[Symbol.asyncIterator]();
    expect(String((await chunks.next()).value)).toBe('first');
    outgoing.end('second');
    expect(String((await chunks.next()).value)).toBe('second');
    const [httpUri = ''] = seen;
    // fetch makes a network error of this status.
    const uninvited = await new Promise<IncomingMessage>((resolve) => request(httpUri, resolve).end());
    expect(uninvited.resume().statusCode).toBe(407);
  } finally {
    await platform.close();
    bundle.remove();
  }
});
