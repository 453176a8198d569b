import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type ReadTable, userOfPeer } from './peer-user.ts';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, remote: string, uid: number, state = '01'): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  ${uid}        0 1234 1 0000000000000000 20\n`;

/** Port 8080 is ours; 50001 and 50002 are at it, 50001 is at another one as well, and was here before. */
const tcp =
  head +
  line('0100007F:1F90', '0100007F:C351', 0) +
  line('0100007F:C351', '0100007F:1F90', 0, '06') +
  line('0100007F:C351', '0100007F:0050', 7) +
  line('0100007F:C351', '0100007F:1F90', 1001);
const mapped = '0000000000000000FFFF00000100007F';
const tcp6 = head + line(`${mapped}:C352`, `${mapped}:1F90`, 1002);
const read: ReadTable = async (path) => (path.endsWith('tcp6') ? tcp6 : tcp);

describe('userOfPeer', () => {
  it.each([
    ['127.0.0.1:50001', 1001],
    ['127.0.0.1:50002', 1002],
    ['::ffff:127.0.0.1:50001', 1001],
    ['127.0.0.1:50003', undefined],
    ['unknown:0', undefined],
  ])('of %s is %s', async (peer, user) => {
    expect(await userOfPeer({ peer, port: 8080 }, read)).toBe(user);
  });

  it('looks again for a connection that one reading has missed', async () => {
    let readings = 0;
    const shifting: ReadTable = async () => {
      readings += 1;
      return readings > 4 ? tcp : head;
    };
    expect(await userOfPeer({ peer: '127.0.0.1:50001', port: 8080 }, shifting)).toBe(1001);
  });

  it('is nobody where there is no table', async () => {
    const none: ReadTable = () => Promise.reject(new Error('ENOENT'));
    expect(await userOfPeer({ peer: '127.0.0.1:50001', port: 8080 }, none)).toBeUndefined();
  });

  it.skipIf(process.platform !== 'linux')('is this process’s own user for a connection of its own', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const client = connect({ host: '127.0.0.1', port });
    const [socket] = (await once(server, 'connection')) as [Socket];
    try {
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      expect(await userOfPeer({ peer, port })).toBe(process.getuid?.());
    } finally {
      client.destroy();
      socket.destroy();
      server.close();
    }
  });
});
