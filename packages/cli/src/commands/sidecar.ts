import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { SidecarProcessOptions } from '@switchyard/standalone/sidecar';
import { type CommandContext, type CommandInput, defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

const file = { kind: 'text', placeholder: 'FILE' } as const;

const flags = {
  port: {
    kind: 'integer',
    placeholder: 'N',
    short: 'p',
    minimum: 0,
    maximum: 65_535,
    fallback: '0',
    summary: 'answers for health, metrics and assignments on this port; 0 takes any (0)',
  },
  host: {
    kind: 'text',
    placeholder: 'ADDRESS',
    fallback: '127.0.0.1',
    summary: 'answers for them on this address (127.0.0.1)',
  },
  'http-host': {
    kind: 'text',
    placeholder: 'ADDRESS',
    fallback: '127.0.0.1',
    summary: "takes the Runtime's streamed requests on this address (127.0.0.1)",
  },
  'http-port': {
    kind: 'integer',
    placeholder: 'N',
    minimum: 0,
    maximum: 65_535,
    fallback: '0',
    summary: 'takes them on this port; 0 takes any (0)',
  },
  'http-url': { kind: 'text', placeholder: 'URL', summary: 'where the Runtime finds that, when it is another address' },
  wrapper: {
    kind: 'text',
    placeholder: 'PATH',
    summary: "uses the worker that 'switchyard wrapper --socket PATH' runs, and starts none",
  },
  keys: {
    kind: 'text',
    placeholder: 'SOURCE',
    summary: 'takes assignments with tokens that these public keys verify: a file, or the address of a jwks.json',
  },
  'renew-url': { kind: 'text', placeholder: 'URL', summary: "exchanges the worker's token here before it ends" },
  'runtime-ca': { ...file, summary: "trusts these authorities for the Runtime's certificate" },
  'client-certificate': { ...file, summary: 'shows this certificate to the Runtime' },
  'client-key': { ...file, summary: 'the key of that certificate' },
  'tls-certificate': { ...file, summary: "shows this certificate on the sidecar's own port" },
  'tls-key': { ...file, summary: 'the key of that certificate' },
  'tls-client-ca': { ...file, summary: 'lets in only callers whose certificate these authorities signed' },
  'make-certificate': {
    kind: 'switch',
    summary: "makes a certificate for the sidecar's own ports where none is named; with --json the first line has it",
  },
  'allow-clear-tokens': { kind: 'switch', summary: 'sends tokens over a network without TLS' },
  'data-dir': {
    kind: 'text',
    placeholder: 'FOLDER',
    fallback: 'switchyard-sidecar in the folder for temporary files',
    summary: 'unpacks packages here (a folder for temporary files)',
  },
  json: { kind: 'switch', summary: 'writes one JSON object per line' },
  verbose: { kind: 'switch', summary: 'shows what the sidecar itself does' },
} as const;

type SidecarInput = CommandInput<typeof flags>;

export const sidecarCommand = defineCommand({
  name: 'sidecar',
  summary: 'Runs a worker beside its sidecar, which connects it to a Runtime; configured by environment variables.',
  flags,
  examples: [
    'FUNCTIONS_WORKER_RUNTIME=node APPLICATION_ID=shop RUNTIME_ENDPOINT=http://127.0.0.1:50051 switchyard sidecar',
    'switchyard sidecar --wrapper /run/worker.sock --keys https://control/.well-known/jwks.json',
  ],
  run: async (input, context) => {
    const options = toOptions(input, context);
    // Everything heavy is loaded here, so that the other commands do not wait for it.
    const { startSidecar } = await import('@switchyard/standalone/sidecar');
    const sidecar = await startSidecar(options);
    context.onStopRequest(() => sidecar.stop());
    const error = await sidecar.ended;
    if (error !== undefined) throw error;
    return exitCodes.done.code;
  },
});

function toOptions({ flags: given }: SidecarInput, context: CommandContext): SidecarProcessOptions {
  const at = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(context.workingDirectory, path);
  const { keys } = given;
  return {
    variables: context.environment,
    port: given.port,
    host: given.host,
    http: { host: given['http-host'], port: given['http-port'], url: given['http-url'] },
    wrapperSocket: at(given.wrapper),
    keys: keys === undefined || /^https?:/i.test(keys) ? keys : at(keys),
    renewUrl: given['renew-url'],
    runtimeTls: {
      certificate: at(given['client-certificate']),
      key: at(given['client-key']),
      authority: at(given['runtime-ca']),
    },
    tls: {
      certificate: at(given['tls-certificate']),
      key: at(given['tls-key']),
      authority: at(given['tls-client-ca']),
    },
    makesCertificate: given['make-certificate'],
    allowClearTokens: given['allow-clear-tokens'],
    dataDirectory: at(given['data-dir']) ?? join(tmpdir(), 'switchyard-sidecar'),
    output: given.json ? 'json' : 'text',
    verbose: given.verbose,
    console: context.stdout,
  };
}
