import { Secret, systemClock } from '@switchyard/kernel';
import { serveHostRelay } from '@switchyard/standalone/capabilities';
import { createConsoleLog } from '@switchyard/telemetry';
import type { CommandContext } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { capabilityEnvironment } from './capability-environment.ts';
import { capsErrors } from './errors.ts';

export interface ServeHostsOptions {
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly json: boolean | undefined;
}

const defaultPort = 7_074;
const maxHosts = 64;

/** Shorter tokens can be guessed. */
const minTokenLength = 16;

/** What capabilities print. */
const isShown = (level: string): boolean => level !== 'trace' && level !== 'debug';

/** Runs hosts for brokers on other machines until it is asked to stop. */
export async function serveHosts({ port, host, json }: ServeHostsOptions, context: CommandContext): Promise<number> {
  const stopRequested = new Promise<string>((resolve) => context.onStopRequest(resolve));
  const token = context.environment.SWITCHYARD_HOST_TOKEN ?? '';
  if (token.length < minTokenLength) throw capsErrors.create('CAPS_TOKEN_MISSING', { minimum: minTokenLength });
  const sink = { write: (text: string) => context.stderr.write(text) };
  const log = createConsoleLog(
    { clock: systemClock, sink },
    { colors: false, showApplication: false, isWanted: isShown },
  );
  const relay = await serveHostRelay(
    { log },
    {
      host: host ?? '127.0.0.1',
      port: port ?? defaultPort,
      token: new Secret(token),
      maxHosts,
      environment: capabilityEnvironment(context.environment),
    },
  );
  const text = `Hosts of capabilities run here, for brokers that name ${relay.url}. Press Ctrl-C to stop.`;
  context.stdout.write(`${json ? JSON.stringify({ url: relay.url }) : text}\n`);
  await stopRequested;
  relay.close();
  return exitCodes.done.code;
}
