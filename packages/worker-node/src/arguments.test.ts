import { describe, expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

const given = [
  '--functions-uri',
  'http://127.0.0.1:5002/',
  '--functions-worker-id',
  'w',
  '--functions-request-id',
  'r',
];
const read = { endpoint: 'http://127.0.0.1:5002', workerId: 'w', requestId: 'r' };
const lengthName = '--functions-grpc-max-message-length';

describe('parseArguments', () => {
  it.each([
    [['1000'], 1000],
    [['99999999999'], 2 ** 31 - 1],
    [[], 2 ** 31 - 1],
  ])('a longest message of %j is %d bytes', (length, maxMessageBytes) => {
    const argv = length.flatMap((value) => [lengthName, value]);
    expect(parseArguments([...given, ...argv])).toEqual({ ...read, maxMessageBytes });
  });

  it('names everything that is missing', () => {
    expect(() => parseArguments([])).toThrow('without --functions-uri, --functions-worker-id');
  });

  it('names what is wrong, and how', () => {
    expect(() => parseArguments([...given, lengthName, 'many'])).toThrow(
      `${lengthName} is "many", which is not a number of bytes`,
    );
  });
});
