import { expect, it } from 'vitest';
import { connectionArguments } from './connection-arguments.ts';

it('writes both generations of the connection arguments, as the official host does', () => {
  const connection = { host: '127.0.0.1', port: 50051, workerId: 'w-1', requestId: 'r-1' };
  expect(connectionArguments(connection).join(' ')).toBe(
    '--host 127.0.0.1 --port 50051 --workerId w-1 --requestId r-1 --grpcMaxMessageLength 2147483647 ' +
      '--functions-uri http://127.0.0.1:50051/ --functions-worker-id w-1 --functions-request-id r-1 ' +
      '--functions-grpc-max-message-length 2147483647',
  );
});
