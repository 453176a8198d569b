/** Where the agent is, and the token for it. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { messageOf, Secret } from '@switchyard/kernel';
import { defaultAgentPort } from '@switchyard/protocol/job-api';
import type { CommandContext } from '../../command.ts';
import { jobErrors } from './errors.ts';

export interface AgentEndpoint {
  /** Scheme, host and port. */
  readonly url: URL;
  readonly token: Secret | undefined;
  /** The authorities that are trusted there, as PEM; those whom everybody trusts when left out. */
  readonly authority?: string;
}

export interface EndpointFlags {
  readonly agent: string | undefined;
  readonly 'token-file': string | undefined;
  readonly 'ca-file': string | undefined;
}

/** From the flags, then the environment; otherwise the agent of this machine. Rejects with JOB_USAGE. */
export async function findAgent(
  flags: EndpointFlags,
  { environment, workingDirectory }: Pick<CommandContext, 'environment' | 'workingDirectory'>,
): Promise<AgentEndpoint> {
  const text = flags.agent ?? (environment.SWITCHYARD_AGENT_URL || `http://127.0.0.1:${defaultAgentPort}`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.pathname !== '/')
    throw usage(`'${text}' is no address of a node agent. Write it like http://127.0.0.1:${defaultAgentPort}.`);
  const token = await findToken(flags['token-file'], environment, workingDirectory);
  const file = flags['ca-file'] ?? (environment.SWITCHYARD_CA_FILE || undefined);
  if (file === undefined) return { url, token };
  const path = resolve(workingDirectory, file);
  const authority = await readFile(path, 'utf8').catch((error: unknown) => {
    throw usage(`'${path}' cannot be read: ${messageOf(error)}. Name another file with --ca-file.`);
  });
  return { url, token, authority };
}

async function findToken(
  file: string | undefined,
  environment: CommandContext['environment'],
  workingDirectory: string,
): Promise<Secret | undefined> {
  const path = file === undefined ? undefined : resolve(workingDirectory, file);
  const text =
    path === undefined
      ? (environment.SWITCHYARD_AGENT_TOKEN ?? '')
      : await readFile(path, 'utf8').catch((error: unknown) => {
          throw usage(`'${path}' cannot be read: ${messageOf(error)}. Name another file with --token-file.`);
        });
  const token = text.trim();
  if (token === '' && path === undefined) return undefined;
  if (/^[\x21-\x7e]+$/.test(token)) return new Secret(token);
  const origin = path === undefined ? 'SWITCHYARD_AGENT_TOKEN' : `'${path}'`;
  throw usage(`The token from ${origin} is none: it must be one word without blanks.`);
}

function usage(problem: string): Error {
  return jobErrors.create('JOB_USAGE', { problem });
}
