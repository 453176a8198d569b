/** No limit of its own: the transport has one. */
const maxMessageLength = 2_147_483_647;

/** Where a worker finds the Runtime, and who it is. */
export interface WorkerConnection {
  readonly host: string;
  readonly port: number;
  readonly workerId: string;
  readonly requestId: string;
}

/**
 * The arguments that every language worker gets at the end of its command line. Both generations in one line, as the
 * official host writes them: Python reads the short ones only, Node.js and .NET the long ones only.
 */
export function connectionArguments({ host, port, workerId, requestId }: WorkerConnection): readonly string[] {
  return [
    ...['--host', host],
    ...['--port', String(port)],
    ...['--workerId', workerId],
    ...['--requestId', requestId],
    ...['--grpcMaxMessageLength', String(maxMessageLength)],
    ...['--functions-uri', `http://${host}:${port}/`],
    ...['--functions-worker-id', workerId],
    ...['--functions-request-id', requestId],
    ...['--functions-grpc-max-message-length', String(maxMessageLength)],
  ];
}
