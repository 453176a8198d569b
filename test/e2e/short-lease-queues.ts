/**
 * A way to the storage emulator on which received messages come back after seconds instead of ten minutes, so that a test
 * sees what becomes of those that a killed Runtime had taken. It changes that one number and signs the request again.
 * Source of the signature: Azure Storage REST API, "Authorize with Shared Key" (queue service).
 */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, request } from 'node:http';

export interface ShortLeaseQueues {
  readonly connectionString: string;
  close(): void;
}

/** What the official host and ours ask for. */
const askedSeconds = '600';

export async function openShortLeaseQueues(connectionString: string, leaseSeconds: number): Promise<ShortLeaseQueues> {
  const parts = new Map(
    connectionString.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const account = parts.get('AccountName') ?? '';
  const key = Buffer.from(parts.get('AccountKey') ?? '', 'base64');
  const target = new URL(parts.get('QueueEndpoint') ?? '');
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', target);
    const headers = { ...incoming.headers };
    if (url.searchParams.get('visibilitytimeout') === askedSeconds) {
      url.searchParams.set('visibilitytimeout', String(leaseSeconds));
      headers.authorization = `SharedKey ${account}:${sign(incoming, url, account, key)}`;
    }
    const outgoing = request({
      host: target.hostname,
      port: target.port,
      method: incoming.method,
      path: `${url.pathname}${url.search}`,
      headers,
    });
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.on('error', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    connectionString: connectionString.replace(target.host, `127.0.0.1:${port}`),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Headers of the text that is signed, in its order. */
const signedHeaders = [
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-type',
  'date',
  'if-modified-since',
  'if-match',
  'if-none-match',
  'if-unmodified-since',
  'range',
] as const;

function sign({ method, headers }: IncomingMessage, url: URL, account: string, key: Buffer): string {
  const values = signedHeaders.map((name) => {
    const value = String(headers[name] ?? '');
    return name === 'content-length' && value === '0' ? '' : value;
  });
  const own = Object.entries(headers)
    .filter(([name]) => name.startsWith('x-ms-'))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}:${String(value).trim()}`);
  const query = [...url.searchParams]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name.toLowerCase()}:${value}`);
  const resource = [`/${account}${url.pathname}`, ...query].join('\n');
  const text = [method ?? 'GET', ...values, ...own, resource].join('\n');
  return createHmac('sha256', key).update(text, 'utf8').digest('base64');
}
