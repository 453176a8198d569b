import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseWorkerArguments } from './worker-arguments.ts';

const short = ['--host', '127.0.0.1', '--port', '5001', '--workerId', 'w1', '--requestId', 'r1'];
const long = [
  '--functions-uri',
  'http://127.0.0.1:6001/',
  '--functions-worker-id',
  'w2',
  '--functions-request-id',
  'r2',
];

describe('parseWorkerArguments', () => {
  test('reads the short generation alone', () => {
    expect(parseWorkerArguments([...short, '--grpcMaxMessageLength', '1000'])).toEqual({
      kind: 'parsed',
      arguments: { endpoint: 'http://127.0.0.1:5001', workerId: 'w1', requestId: 'r1', maxMessageBytes: 1000 },
    });
  });

  test('reads the long generation alone', () => {
    expect(parseWorkerArguments(long)).toEqual({
      kind: 'parsed',
      arguments: { endpoint: 'http://127.0.0.1:6001', workerId: 'w2', requestId: 'r2', maxMessageBytes: undefined },
    });
  });

  test('prefers the long generation and skips what it does not know', () => {
    expect(parseWorkerArguments(['--inspect', ...short, 'free', ...long, '--verbose'])).toMatchObject({
      kind: 'parsed',
      arguments: { endpoint: 'http://127.0.0.1:6001', workerId: 'w2', requestId: 'r2' },
    });
  });

  test('takes --name=value, and an address of IPv6', () => {
    expect(parseWorkerArguments(['--host=::1', '--port=5001', '--workerId=w'])).toMatchObject({
      kind: 'parsed',
      arguments: { endpoint: 'http://[::1]:5001', workerId: 'w', requestId: '' },
    });
  });

  test.each([
    [[], ['--functions-uri', '--functions-worker-id']],
    [['--host', 'h', '--workerId', 'w'], ['--functions-uri']],
    [['--functions-uri', 'http://h:1/'], ['--functions-worker-id']],
    [['--functions-uri', 'http://h:1/', '--functions-worker-id'], ['--functions-worker-id']],
  ])('%j lacks %j', (argv, names) => {
    expect(parseWorkerArguments(argv)).toEqual({ kind: 'missing', names });
  });

  test.each([
    [['--functions-uri', 'nowhere', '--functions-worker-id', 'w'], '--functions-uri'],
    [['--functions-uri', 'ftp://h:1/', '--functions-worker-id', 'w'], '--functions-uri'],
    [['--host', 'h', '--port', '0', '--workerId', 'w'], '--port'],
    [['--host', 'h', '--port', '65536', '--workerId', 'w'], '--port'],
    [['--host', 'a/b', '--port', '1', '--workerId', 'w'], '--host'],
    [['--host', '', '--port', '1', '--workerId', 'w'], '--host'],
    [[...long, '--functions-grpc-max-message-length', '-1'], '--functions-grpc-max-message-length'],
  ])('%j: %s is invalid', (argv, name) => {
    expect(parseWorkerArguments(argv)).toMatchObject({ kind: 'invalid', name });
  });

  test('never throws', () => {
    const word = fc.oneof(fc.string(), fc.constantFrom(...short, ...long, '--host=', '--port=x', '--functions-uri='));
    fc.assert(
      fc.property(fc.array(word), (argv) => {
        expect(['parsed', 'missing', 'invalid']).toContain(parseWorkerArguments(argv).kind);
      }),
    );
  });
});
