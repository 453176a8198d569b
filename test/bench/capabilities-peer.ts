/**
 * The other process of the capability benchmark: a broker, or a server that only echoes, as the floor to compare with.
 *
 *     capabilities-peer.ts broker <data folder>
 *     capabilities-peer.ts lines <socket path>
 *     capabilities-peer.ts web-socket
 *
 * It prints one line of JSON when it is ready, and ends with its standard input.
 */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTokenIssuer, openKeyRing } from '@switchyard/identity';
import { silentLog, silentMeter, systemClock, systemRandom } from '@switchyard/kernel';
import { startBroker } from '@switchyard/standalone/capabilities';
import { WebSocketServer } from 'ws';

const nodeProgram = fileURLToPath(new URL('../../packages/capability-broker/dist/host/main.cjs', import.meta.url));
const probe = fileURLToPath(new URL('../../packages/capability-broker/fixtures/probe.cjs', import.meta.url));

async function serveBroker(dataDirectory: string): Promise<object> {
  const deps = { clock: systemClock, random: systemRandom, log: silentLog };
  const keys = await openKeyRing(deps, { directory: `${dataDirectory}/keys` });
  const issuer = createTokenIssuer({ ...deps, keys });
  const limits = { maxConcurrentCalls: 1_000 };
  const entry = probe;
  const version = '1.0.0';
  const broker = await startBroker(
    { log: silentLog, meter: silentMeter, keys, issuer },
    {
      dataDirectory,
      environment: {},
      nodeProgram,
      webSocket: { host: '127.0.0.1', port: 0 },
      library: async () => ({
        programs: new Map(),
        capabilities: [
          { manifest: { name: 'local', version, tier: 2, kind: 'in-process', entry, limits } },
          { manifest: { name: 'thread', version, tier: 2, kind: 'thread', entry, limits } },
          { manifest: { name: 'process', version, tier: 3, kind: 'process', entry, limits, shards: 1 } },
          {
            manifest: {
              ...{ name: 'composed', version, tier: 3 as const, kind: 'process' as const, entry, limits, shards: 1 },
              requires: [{ name: 'process', range: '*' }],
            },
          },
        ],
      }),
    },
  );
  const token = (await broker.tokens.forAccount('bench')).reveal();
  closers.push(() => broker.close());
  return { endpoint: broker.endpoint, webSocketUrl: broker.webSocketUrl, token };
}

/** Echoes every line. */
async function serveLines(path: string): Promise<object> {
  const server = createServer((socket) => {
    createInterface(socket).on('line', (line) => socket.write(`${line}\n`));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { endpoint: `unix:${path}` };
}

/** Echoes every text message. */
async function serveWebSocket(): Promise<object> {
  const http = createHttpServer();
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data.toString())));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { endpoint: `ws://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

/** What is to be closed before the end. */
const closers: (() => Promise<void>)[] = [];
const [mode = '', path = ''] = process.argv.slice(2);
const modes: Readonly<Record<string, () => Promise<object>>> = {
  broker: () => serveBroker(path),
  lines: () => serveLines(path),
  'web-socket': serveWebSocket,
};
process.stdin
  .on('end', async () => {
    for (const close of closers) await close();
    process.exit(0);
  })
  .resume();
console.log(JSON.stringify(await modes[mode]?.()));
