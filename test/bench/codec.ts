/** The generated codec against protobufjs, on the message of one HTTP invocation: bytes in, bytes out, in one process. */
import { StreamingMessage } from '@switchyard/protocol';
import { parseProtos } from '../../tools/codegen.ts';
import type { BenchRow } from './bench-row.ts';
import { median } from './statistics.ts';

const rounds = 9;
const messages = 20_000;

/** Runs the benchmark; takes about three seconds. */
export async function benchCodec(): Promise<BenchRow[]> {
  const bytes = StreamingMessage.encode(invocation()).finish();
  const reflected = parseProtos().lookupType('AzureFunctionsRpcMessages.StreamingMessage');
  const codecs = {
    ours: () => StreamingMessage.encode(StreamingMessage.decode(bytes)).finish(),
    other: () => reflected.encode(reflected.decode(bytes)).finish(),
  };
  const times = { ours: [] as number[], other: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.ours.push(microsecondsPer(codecs.ours));
    times.other.push(microsecondsPer(codecs.other));
  }
  const [ours, reference] = [median(times.ours), median(times.other)];
  const name = 'decode and encode one invocation';
  return [{ name, ours, reference, against: 'protobufjs', ratio: ours / reference, unit: 'us', target: '' }];
}

function microsecondsPer(work: () => Uint8Array): number {
  const startMs = performance.now();
  for (let index = 0; index < messages; index += 1) work();
  return ((performance.now() - startMs) * 1_000) / messages;
}

function invocation(): StreamingMessage {
  const headers = Array.from({ length: 8 }, (_, index) => {
    const data = { $case: 'string', value: `value ${index}` } as const;
    return [`x-header-${index}`, { data }] as const;
  });
  return {
    requestId: '6f1c2f0e-9a3c-4a52-9a53-6f4f0a1b2c3d',
    content: {
      $case: 'invocationRequest',
      value: {
        invocationId: 'f3b1a7f0-3f5e-4c68-8f0d-4f1f2a3b4c5d',
        functionId: '0d9c8b7a-6f5e-4d3c-2b1a-0f9e8d7c6b5a',
        inputData: [],
        triggerMetadata: new Map(headers),
        traceContext: undefined,
        retryContext: undefined,
      },
    },
  };
}

if (process.argv[1] === import.meta.filename) console.table(await benchCodec());
