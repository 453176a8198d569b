import { Secret, silentLog, systemClock } from '@switchyard/kernel';
import { createRpcServer, eventStreamPath, type Link } from '@switchyard/protocol';
import { expect, test } from 'vitest';
import { createRuntimeDialer } from './runtime-dialer.ts';

const clock = systemClock;
const log = silentLog;

/** A Runtime's door, and the streams that have come. */
async function openRuntime() {
  const links: Link[] = [];
  const open = (link: Link): void => {
    link.receive({ frame: (bytes) => void link.send(bytes) });
    links.push(link);
  };
  const server = createRpcServer({ clock, log }, { methods: { [eventStreamPath]: { kind: 'stream', open } } });
  const { host, port } = await server.listen({ host: '127.0.0.1', port: 0 });
  return { server, links, endpoint: `http://${host}:${port}` };
}

test('the streams of all sidecars to one Runtime share a connection, each with the token of its own worker', async () => {
  const [one, other] = [await openRuntime(), await openRuntime()];
  const dialer = createRuntimeDialer({ clock, log });
  try {
    const streams = ['a', 'b', 'c'].map((token) => dialer.dial(one.endpoint, new Secret(token)));
    const elsewhere = dialer.dial(other.endpoint, new Secret('d'));
    const echoes = [...streams, elsewhere].map(
      (link, index) =>
        new Promise((resolve) => {
          link.receive({ frame: (bytes) => resolve(bytes[0]) });
          link.send(new Uint8Array([index]));
        }),
    );
    expect(await Promise.all(echoes)).toEqual([0, 1, 2, 3]);
    expect(one.links.map(({ metadata }) => metadata.get('authorization'))).toEqual([
      'Bearer a',
      'Bearer b',
      'Bearer c',
    ]);
    expect(new Set(one.links.map(({ peer }) => peer)).size).toBe(1);
    expect(other.links).toHaveLength(1);
  } finally {
    await dialer.close(0);
    await Promise.all([one.server.close(0), other.server.close(0)]);
  }
});
