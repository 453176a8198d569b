import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

const older = '--host 127.0.0.1 --port 5001 --workerId w1 --requestId r1 --grpcMaxMessageLength 2147483647'.split(' ');
const newer = [
  ...['--functions-uri', 'http://127.0.0.1:5002/', '--functions-worker-id', 'w2', '--functions-request-id', 'r2'],
  ...['--functions-grpc-max-message-length', '1000'],
];

describe('parseArguments', () => {
  it('reads the newer generation, and the older one where the newer is missing', () => {
    const fromNewer = { endpoint: 'http://127.0.0.1:5002', workerId: 'w2', requestId: 'r2', maxMessageBytes: 1000 };
    const fromOlder = {
      endpoint: 'http://127.0.0.1:5001',
      workerId: 'w1',
      requestId: 'r1',
      maxMessageBytes: 2 ** 31 - 1,
    };
    expect(parseArguments(newer)).toEqual(fromNewer);
    expect(parseArguments(older)).toEqual(fromOlder);
    expect(parseArguments([...older, ...newer])).toEqual(fromNewer);
    expect(parseArguments(newer.map((part, index) => (index % 2 === 0 ? `${part}=${newer[index + 1]}` : '')))).toEqual(
      fromNewer,
    );
  });

  it('ignores what it does not know', () => {
    expect(parseArguments(['--unknown', 'x', ...newer, 'positional']).workerId).toBe('w2');
  });

  it('names everything that is missing', () => {
    expect(() => parseArguments([])).toThrow(
      '--functions-uri, --functions-worker-id, --functions-request-id, --functions-grpc-max-message-length',
    );
    expect(() => parseArguments(newer.slice(0, -2))).toThrow('without --functions-grpc-max-message-length');
    expect(() => parseArguments(['--host', 'a', ...newer.slice(2)])).toThrow('without --functions-uri');
  });

  it.each([
    ['--functions-uri', 'nonsense'],
    ['--functions-uri', 'ftp://127.0.0.1/'],
    ['--functions-uri', 'https://127.0.0.1:1/'],
    ['--functions-grpc-max-message-length', 'many'],
    ['--functions-grpc-max-message-length', '0'],
  ])('refuses %s %s, naming both', (name, value) => {
    const changed = [...newer];
    changed[changed.indexOf(name) + 1] = value;
    expect(() => parseArguments(changed)).toThrow(`${name} is "${value}"`);
  });
});
