/** What a host tells a worker on the command line: where it is, and who the worker is. */
export interface WorkerArguments {
  /** `http://host:port`, ready for a channel. */
  readonly endpoint: string;
  readonly workerId: string;
  readonly requestId: string;
  /** The longest message in bytes that the host wants to see; undefined when it names none. */
  readonly maxMessageBytes: number | undefined;
}

export type WorkerArgumentsOutcome =
  | { readonly kind: 'parsed'; readonly arguments: WorkerArguments }
  /** These stand in neither form on the command line. */
  | { readonly kind: 'missing'; readonly names: readonly string[] }
  | { readonly kind: 'invalid'; readonly name: string; readonly value: string; readonly expected: string };

const optionPattern = /^--([A-Za-z][\w-]*)(?:=([\s\S]*))?$/;
const maxPort = 65_535;

/**
 * Reads the arguments that a Functions host ends a worker's command line with. Hosts write two generations at once,
 * `--host H --port P --workerId W` and `--functions-uri http://H:P/ --functions-worker-id W`; either is enough, and the
 * long one wins. Other arguments belong to the language and are skipped.
 *
 * @param argv the arguments after the program's path
 */
export function parseWorkerArguments(argv: readonly string[]): WorkerArgumentsOutcome {
  const options = collectOptions(argv);
  const workerId = options.get('functions-worker-id') ?? options.get('workerid') ?? '';
  const uri = options.get('functions-uri');
  const host = options.get('host');
  const port = options.get('port');
  const missing = [
    ...(uri === undefined && (host === undefined || port === undefined) ? ['--functions-uri'] : []),
    ...(workerId === '' ? ['--functions-worker-id'] : []),
  ];
  if (missing.length > 0) return { kind: 'missing', names: missing };
  const endpoint = uri === undefined ? fromHostAndPort(host ?? '', port ?? '') : fromUri(uri);
  if (typeof endpoint !== 'string') return endpoint;
  const length = options.get('functions-grpc-max-message-length') ?? options.get('grpcmaxmessagelength');
  const requestId = options.get('functions-request-id') ?? options.get('requestid') ?? '';
  if (length !== undefined && !/^[1-9]\d{0,14}$/.test(length)) {
    const name = '--functions-grpc-max-message-length';
    return { kind: 'invalid', name, value: length, expected: 'a number of bytes' };
  }
  const maxMessageBytes = length === undefined ? undefined : Number(length);
  return { kind: 'parsed', arguments: { endpoint, workerId, requestId, maxMessageBytes } };
}

/** `--name value` and `--name=value`; of a name that stands twice the last holds. */
function collectOptions(argv: readonly string[]): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  argv.forEach((argument, index) => {
    const [, name, inline] = optionPattern.exec(argument) ?? [];
    const value = inline ?? argv[index + 1];
    if (name !== undefined && value !== undefined) options.set(name.toLowerCase(), value);
  });
  return options;
}

function fromUri(uri: string): string | Extract<WorkerArgumentsOutcome, { kind: 'invalid' }> {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if ((url?.protocol === 'http:' || url?.protocol === 'https:') && url.hostname !== '') {
    return `${url.protocol}//${url.host}`;
  }
  return { kind: 'invalid', name: '--functions-uri', value: uri, expected: 'an address like http://127.0.0.1:50051/' };
}

function fromHostAndPort(host: string, port: string): string | Extract<WorkerArgumentsOutcome, { kind: 'invalid' }> {
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > maxPort) {
    return { kind: 'invalid', name: '--port', value: port, expected: `a port between 1 and ${maxPort}` };
  }
  const address = `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  if (host !== '' && URL.canParse(address) && new URL(address).pathname === '/') return address;
  return { kind: 'invalid', name: '--host', value: host, expected: 'a host name or address' };
}
