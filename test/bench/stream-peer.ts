/**
 * What streams are measured against: a bare `node:http` server that counts what it gets and sends what is asked for, and a
 * bare proxy in front of it.
 *
 *     node stream-peer.ts server <port>
 *     node stream-peer.ts proxy <port> <port of the server>
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';

const part = Buffer.alloc(65_536, 'x');

async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  if (incoming.method === 'POST') {
    let sizeBytes = 0;
    for await (const bytes of incoming) sizeBytes += (bytes as Buffer).byteLength;
    response.end(String(sizeBytes));
    return;
  }
  await pipeline(parts(Number(incoming.url?.split('/').at(-1))), response);
}

function* parts(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= part.byteLength) yield part.subarray(0, left);
}

function forward(port: number, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = incoming;
  const outgoing = request({ host: '127.0.0.1', port, method, path: url, headers }, (given) => {
    response.writeHead(given.statusCode ?? 500, given.headers);
    given.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}

const [role, port = '0', target = '0'] = process.argv.slice(2);
createServer((incoming, response) => {
  if (role === 'proxy') forward(Number(target), incoming, response);
  else answer(incoming, response).catch(() => response.destroy());
}).listen(Number(port), '127.0.0.1');
