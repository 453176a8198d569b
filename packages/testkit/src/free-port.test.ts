import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort } from './free-port.ts';

test('gives ports that servers can have, each of them once, and none that the system gives away', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
  expect(Math.max(...ports)).toBeLessThan(32_768);
  const server = createServer().listen(ports[0], '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test('passes over a port that somebody has', async () => {
  const before = await freePort();
  const taken = createServer().listen(before + 1, '127.0.0.1');
  // It may be another process's, or the last of the part: then it is passed over as well.
  await Promise.race([once(taken, 'listening'), once(taken, 'error')]);
  expect(await freePort()).not.toBe(before + 1);
  taken.close();
});
