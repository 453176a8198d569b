/** The flags of `switchyard up` that open its doors to other machines. */
import { resolve } from 'node:path';
import type { UpOptions } from '@switchyard/standalone/up';
import type { CommandContext, FlagValues } from '../../command.ts';

const address = { kind: 'text', placeholder: 'ADDRESS' } as const;
const file = { kind: 'text', placeholder: 'FILE' } as const;
const port = { kind: 'integer', placeholder: 'N', minimum: 0, maximum: 65_535 } as const;

export const doorFlags = {
  'control-host': { ...address, fallback: '127.0.0.1', summary: 'listens for commands on this address (127.0.0.1)' },
  'control-port': { ...port, fallback: '7072', summary: 'listens for commands on this port; 0 takes any (7072)' },
  'rpc-host': {
    ...address,
    fallback: '127.0.0.1',
    summary: 'listens for workers and Runtimes of other processes on this address (127.0.0.1)',
  },
  'rpc-port': {
    ...port,
    fallback: '50051',
    summary: 'listens for workers and Runtimes of other processes on this port (50051)',
  },
  'tls-certificate': { ...file, summary: 'shows this certificate on the ports for commands and for workers' },
  'tls-key': { ...file, summary: 'the key of that certificate' },
  'peer-ca': { ...file, summary: 'the authorities of the certificates that pods and Runtimes of other machines show' },
  'advertised-host': { ...address, summary: 'the address at which other machines find this one' },
  'allow-clear-tokens': { kind: 'switch', summary: 'lets tokens cross a network without TLS' },
  'worker-network': {
    kind: 'list',
    placeholder: 'NETWORK',
    summary: 'streams HTTP to sidecars here, too: an address, 10.0.0.0/8 or a host; may be given many times',
  },
  'worker-http-port': {
    ...port,
    fallback: '0',
    summary: 'takes streamed requests of Runtimes of other machines for workers here on this port; 0 takes any (0)',
  },
} as const;

export function toDoors(
  given: FlagValues<typeof doorFlags>,
  { workingDirectory }: Pick<CommandContext, 'workingDirectory'>,
): Pick<UpOptions, 'controlHost' | 'controlPort' | 'rpcHost' | 'rpcPort' | 'tls' | 'reach'> {
  const at = (path: string | undefined): string | undefined =>
    path === undefined ? undefined : resolve(workingDirectory, path);
  return {
    controlHost: given['control-host'],
    controlPort: given['control-port'],
    rpcHost: given['rpc-host'],
    rpcPort: given['rpc-port'],
    tls: { certificate: at(given['tls-certificate']), key: at(given['tls-key']), authority: undefined },
    reach: {
      advertisedHost: given['advertised-host'],
      authority: at(given['peer-ca']),
      allowsClear: given['allow-clear-tokens'],
      workerNetworks: given['worker-network'] ?? [],
      workerHttpPort: given['worker-http-port'],
    },
  };
}
