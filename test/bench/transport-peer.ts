/**
 * One process of the transport benchmark: a server that echoes every message, or a client that drives one.
 *
 *     transport-peer.ts server ours|grpc-js
 *     transport-peer.ts client ours|grpc-js <port>
 */
import * as grpc from '@grpc/grpc-js';
import { systemClock } from '@switchyard/kernel';
import { createRpcChannel, createRpcServer, eventStreamPath } from '@switchyard/protocol';

/** What the parent sends to a client, and what it sends back. */
export interface EchoRequest {
  readonly inFlight: number;
  readonly messages: number;
}

export interface EchoResult {
  readonly messagesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** One open echo stream, whoever implements it. */
interface EchoStream {
  send(message: Buffer): void;
  onMessage: () => void;
}

const messageBytes = 500;
const unlimited = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

const method: grpc.MethodDefinition<Buffer, Buffer> = {
  path: eventStreamPath,
  requestStream: true,
  responseStream: true,
  requestSerialize: (bytes) => bytes,
  requestDeserialize: (bytes) => bytes,
  responseSerialize: (bytes) => bytes,
  responseDeserialize: (bytes) => bytes,
};

async function startOwnServer(): Promise<number> {
  const server = createRpcServer(
    { clock: systemClock },
    {
      methods: {
        [eventStreamPath]: {
          kind: 'stream',
          open: (link) => link.receive({ frame: (bytes) => void link.send(bytes), end: () => link.end() }),
        },
      },
    },
  );
  return (await server.listen({ host: '127.0.0.1', port: 0 })).port;
}

function startGrpcServer(): Promise<number> {
  const server = new grpc.Server(unlimited);
  server.addService(
    { EventStream: method },
    {
      EventStream: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (bytes: Buffer) => call.write(bytes));
        call.on('end', () => call.end());
      },
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function openOwnStream(port: number): EchoStream {
  const channel = createRpcChannel({ clock: systemClock }, { endpoint: `127.0.0.1:${port}` });
  const link = channel.eventStream();
  const stream: EchoStream = { send: (message) => void link.send(message), onMessage: () => {} };
  link.receive({ frame: () => stream.onMessage() });
  return stream;
}

function openGrpcStream(port: number): EchoStream {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), unlimited);
  const call = client.makeBidiStreamRequest(eventStreamPath, method.requestSerialize, method.responseDeserialize);
  const stream: EchoStream = { send: (message) => void call.write(message), onMessage: () => {} };
  call.on('data', () => stream.onMessage());
  return stream;
}

/** Keeps `inFlight` messages on their way until `messages` have come back. */
function drive(stream: EchoStream, { inFlight, messages }: EchoRequest): Promise<EchoResult> {
  const message = Buffer.alloc(messageBytes, 7);
  const sentAt = new Float64Array(messages);
  const tookUs = new Float64Array(messages);
  let sent = 0;
  let received = 0;
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const send = (): void => {
      sentAt[sent++] = performance.now();
      stream.send(message);
    };
    stream.onMessage = () => {
      const now = performance.now();
      tookUs[received] = (now - (sentAt[received] ?? now)) * 1000;
      received += 1;
      if (sent < messages) send();
      if (received === messages) {
        tookUs.sort();
        const at = (share: number): number => tookUs[Math.floor(messages * share)] ?? Number.NaN;
        resolve({ messagesPerSecond: (messages / (now - startedMs)) * 1000, p50Us: at(0.5), p99Us: at(0.99) });
      }
    };
    for (let n = 0; n < inFlight; n += 1) send();
  });
}

const [role, kind, port] = process.argv.slice(2);
if (role === 'server') process.send?.(kind === 'ours' ? await startOwnServer() : await startGrpcServer());
else {
  const stream = kind === 'ours' ? openOwnStream(Number(port)) : openGrpcStream(Number(port));
  process.on('message', async (request: EchoRequest) => process.send?.(await drive(stream, request)));
  process.send?.('ready');
}
