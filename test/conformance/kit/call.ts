import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';

export interface CallOptions {
  /** GET, or POST where there is a body. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Anything but text and bytes goes out as JSON. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as JSON; fails with the text where it is none. */
  json(): unknown;
}

/** Longer than any host may take for a case. */
const patienceMs = 60_000;

/** Makes one request. Answers of any status are answers; rejects when none comes. */
export function call(base: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const url = new URL(base);
  const { body } = options;
  const isPlain = typeof body === 'string' || body instanceof Uint8Array || body === undefined;
  const content = isPlain ? body : JSON.stringify(body);
  const headers: Record<string, string> = { ...(isPlain ? {} : { 'content-type': 'application/json' }) };
  Object.assign(headers, options.headers);
  if (content !== undefined) headers['content-length'] = String(Buffer.byteLength(content));
  // Names below localhost all mean this machine, also where no resolver knows that.
  const isLocal = url.hostname === 'localhost' || url.hostname.endsWith('.localhost');
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: isLocal ? '127.0.0.1' : url.hostname,
        port: url.port,
        path,
        method: options.method ?? (content === undefined ? 'GET' : 'POST'),
        headers: { host: url.host, ...headers },
        timeout: patienceMs,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const bytes = Buffer.concat(chunks);
          resolve(toAnswer(response.statusCode ?? 0, response.headers, bytes));
        });
      },
    );
    outgoing.once('timeout', () => outgoing.destroy(new Error(`${path} was not answered in ${patienceMs} ms`)));
    outgoing.once('error', reject);
    outgoing.end(content);
  });
}

function toAnswer(status: number, headers: Answer['headers'], bytes: Buffer): Answer {
  const text = bytes.toString('utf8');
  return {
    status,
    headers,
    bytes,
    text,
    json() {
      try {
        return JSON.parse(text);
      } catch {
        throw new Error(`The answer with status ${status} is no JSON: '${text.slice(0, 200)}'`);
      }
    },
  };
}
