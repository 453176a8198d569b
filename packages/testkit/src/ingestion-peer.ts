/**
 * The ingestion service of Application Insights, as far as a sender meets it: takes compressed JSON lines over real HTTP and checks
 * each envelope against the schema that the service publishes (required members, base types, lengths).
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface ReceivedEnvelope {
  readonly name: string;
  readonly time: string;
  readonly iKey: string;
  readonly sampleRate: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly data: { readonly baseType: string; readonly baseData: Readonly<Record<string, unknown>> };
}

export interface IngestionPeer {
  /** Where senders are told to send, as `IngestionEndpoint`. */
  readonly url: string;
  /** Everything that was taken, in order. */
  readonly envelopes: readonly ReceivedEnvelope[];
  /** What a service would have refused, in words. */
  readonly problems: readonly string[];
  /** The requests, whatever they were answered. */
  readonly requests: number;
  /** What the next requests are answered, one each; then everything is taken again. */
  answerNext(...answers: readonly PeerAnswer[]): void;
  close(): Promise<void>;
}

export interface PeerAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** With 206: positions that are refused, and with which status. */
  readonly errors?: readonly { readonly index: number; readonly statusCode: number }[];
}

export async function startIngestionPeer(): Promise<IngestionPeer> {
  const envelopes: ReceivedEnvelope[] = [];
  const problems: string[] = [];
  const script: PeerAnswer[] = [];
  let requests = 0;
  const server = createServer(async (request, response) => {
    requests += 1;
    const lines = await readLines(request, problems);
    const { status, headers = {}, errors = [] } = script.shift() ?? { status: 200 };
    const refused = new Set(errors.map(({ index }) => index));
    const taken = status === 200 || status === 206 ? lines.filter((_line, index) => !refused.has(index)) : [];
    for (const line of taken) envelopes.push(parseEnvelope(line, problems));
    const body = { itemsReceived: lines.length, itemsAccepted: taken.length, errors };
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    envelopes,
    problems,
    get requests() {
      return requests;
    },
    answerNext: (...answers) => void script.push(...answers),
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readLines(request: IncomingMessage, problems: string[]): Promise<readonly string[]> {
  const { method, url = '', headers } = request;
  if (method !== 'POST' || !/^\/v2(?:\.1)?\/track$/.test(url)) problems.push(`${method} ${url} is not served`);
  if (headers['content-type'] !== 'application/x-json-stream') problems.push(`${headers['content-type']} is no stream`);
  if (headers['content-encoding'] !== 'gzip') problems.push('the body is not compressed');
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = gunzipSync(Buffer.concat(chunks)).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

const baseTypes: Readonly<Record<string, string>> = {
  'Microsoft.ApplicationInsights.Request': 'RequestData',
  'Microsoft.ApplicationInsights.Message': 'MessageData',
  'Microsoft.ApplicationInsights.Exception': 'ExceptionData',
  'Microsoft.ApplicationInsights.Metric': 'MetricData',
};

function parseEnvelope(line: string, problems: string[]): ReceivedEnvelope {
  const envelope = JSON.parse(line) as ReceivedEnvelope & { readonly ver: number };
  const check = (isGood: boolean, problem: string): void => {
    if (!isGood) problems.push(`${problem}: ${line.slice(0, 300)}`);
  };
  const { name, data, tags } = envelope;
  check(envelope.ver === 1, 'the version of the envelope is 1');
  check(new Date(envelope.time).toISOString() === envelope.time, 'the time is in ISO 8601');
  check(typeof envelope.iKey === 'string' && envelope.iKey !== '', 'the key is there');
  check(envelope.sampleRate > 0 && envelope.sampleRate <= 100, 'the share is a percentage');
  check(baseTypes[name] !== undefined && baseTypes[name] === data.baseType, 'name and base type are known');
  check(data.baseData.ver === 2, 'the version of the data is 2');
  check(
    Object.values(tags).every((value) => typeof value === 'string'),
    'tags are texts',
  );
  const { properties = {} } = data.baseData as { properties?: Record<string, unknown> };
  for (const [key, value] of Object.entries(properties))
    check(key.length <= 150 && typeof value === 'string' && value.length <= 8_192, `the property ${key}`);
  for (const problem of problemsOf(data.baseType, data.baseData)) check(false, problem);
  return envelope;
}

/** What of the data is not as its base type wants it. */
function problemsOf(baseType: string, data: Readonly<Record<string, unknown>>): readonly string[] {
  const isText = (value: unknown, length: number): boolean =>
    typeof value === 'string' && value !== '' && value.length <= length;
  const members: Readonly<Record<string, () => readonly (readonly [member: string, isGood: boolean])[]>> = {
    RequestData: () => [
      ['id', isText(data.id, 512)],
      ['duration', /^(?:\d+\.)?\d\d:\d\d:\d\d\.\d{7}$/.test(String(data.duration))],
      ['responseCode', isText(data.responseCode, 1_024)],
      ['success', typeof data.success === 'boolean'],
      ['url', data.url === undefined || isText(data.url, 2_048)],
    ],
    MessageData: () => [
      ['message', typeof data.message === 'string' && data.message.length <= 32_768],
      ['severityLevel', isSeverity(data.severityLevel)],
    ],
    ExceptionData: () => [
      ['severityLevel', isSeverity(data.severityLevel)],
      [
        'exceptions',
        listOf(data.exceptions).every((one) => isText(one.typeName, 1_024) && isText(one.message, 32_768)) &&
          listOf(data.exceptions).length > 0,
      ],
    ],
    MetricData: () => [
      [
        'metrics',
        listOf(data.metrics).length === 1 &&
          listOf(data.metrics).every((one) => isText(one.name, 1_024) && Number.isFinite(one.value)),
      ],
    ],
  };
  const checked = members[baseType]?.() ?? [];
  return checked.filter(([, isGood]) => !isGood).map(([member]) => `${baseType} has a good '${member}'`);
}

function isSeverity(value: unknown): boolean {
  return typeof value === 'number' && [0, 1, 2, 3, 4].includes(value);
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value : [];
}
