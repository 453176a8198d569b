import { Secret, systemClock } from '@switchyard/kernel';
import { serveBroker } from '@switchyard/standalone/capabilities';
import { createConsoleLog } from '@switchyard/telemetry';
import type { CommandContext } from '../../command.ts';
import { exitCodes } from '../../exit-codes.ts';
import { capabilityEnvironment } from './capability-environment.ts';

export interface CapsServeOptions {
  readonly directory: string;
  readonly port: number | undefined;
  readonly host: string | undefined;
  readonly account: string | undefined;
  readonly memoryMb: number | undefined;
  readonly json: boolean | undefined;
}

/** What is said once the broker listens, as text or, with `--json`, as one object. */
interface ReadyBroker {
  readonly webSocketUrl: string | undefined;
  readonly account: string;
  readonly variables: Readonly<Record<string, string>>;
}

const loopback = '127.0.0.1';
const megabyte = 1024 * 1024;

/** Runs a broker until it is asked to stop. */
export async function serveCaps(options: CapsServeOptions, context: CommandContext): Promise<number> {
  const stopRequested = new Promise<string>((resolve) => context.onStopRequest(resolve));
  const { directory, port, host = loopback, account = 'local', memoryMb, json = false } = options;
  const isWanted = (level: string): boolean => level !== 'trace' && level !== 'debug';
  const sink = { write: (text: string) => context.stderr.write(text) };
  const log = createConsoleLog({ clock: systemClock, sink }, { colors: false, showApplication: false, isWanted });
  const environment = capabilityEnvironment(context.environment);
  const hostToken = context.environment.SWITCHYARD_HOST_TOKEN || undefined;
  const running = await serveBroker(
    { log },
    {
      dataDirectory: directory,
      environment,
      ...(port === undefined ? {} : { webSocket: { host, port } }),
      ...(hostToken === undefined ? {} : { relayToken: new Secret(hostToken) }),
      ...(memoryMb === undefined ? {} : { memoryBudgetBytes: memoryMb * megabyte }),
    },
  );
  const variables = await running.environmentFor(account);
  const ready = { webSocketUrl: running.webSocketUrl, account, variables };
  context.stdout.write(json ? `${JSON.stringify(ready)}\n` : describeReady(ready));
  await stopRequested;
  await running.close();
  return exitCodes.done.code;
}

function describeReady({ webSocketUrl, account, variables }: ReadyBroker): string {
  const lines = ['The capability broker is up. Press Ctrl-C to stop.'];
  if (webSocketUrl !== undefined) lines.push(`\tWebSocket  ${webSocketUrl}`);
  lines.push('', `Variables of account '${account}':`);
  for (const [name, value] of Object.entries(variables)) lines.push(`${name}=${value}`);
  return `${lines.join('\n')}\n`;
}
