import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { userOfPeer } from './peer-user.ts';

const head = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (local: string, remote: string, uid: number): string =>
  `   0: ${local} ${remote} 01 00000000:00000000 00:00000000 00000000  ${uid}        0 1234 1 0000000000000000 20 4 30 10 -1\n`;

const read = async (path: string): Promise<string> =>
  path.endsWith('tcp6')
    ? head + line('0000000000000000FFFF00000100007F:C352', '0000000000000000FFFF00000100007F:1F90', 1002)
    : head + line('0100007F:1F90', '0100007F:C351', 0) + line('0100007F:C351', '0100007F:1F90', 1001);

describe('userOfPeer', () => {
  it.each([
    ['127.0.0.1:50001', 1001],
    ['127.0.0.1:50002', 1002],
    ['::ffff:127.0.0.1:50001', 1001],
    ['127.0.0.1:50003', undefined],
    ['unknown:0', undefined],
  ])('of %s is %s', async (peer, user) => {
    expect(await userOfPeer(peer, read)).toBe(user);
  });

  it('is nobody where there is no table', async () => {
    expect(await userOfPeer('127.0.0.1:50001', async () => Promise.reject(new Error('ENOENT')))).toBeUndefined();
  });

  it.skipIf(process.platform !== 'linux')('is this process’s own user for a connection of its own', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const client = connect({ host: '127.0.0.1', port: typeof address === 'object' && address ? address.port : 0 });
    const [socket] = (await once(server, 'connection')) as [Socket];
    try {
      expect(await userOfPeer(`${socket.remoteAddress}:${socket.remotePort}`)).toBe(process.getuid?.());
    } finally {
      client.destroy();
      socket.destroy();
      server.close();
    }
  });
});
