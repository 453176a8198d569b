/**
 * Where the platform is, and the token for it. A token is only sent where it belongs: the one in control.json goes to the
 * endpoint that stands beside it, and none leaves this machine in clear unless that was allowed.
 */
import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isPlatformError, messageOf, Secret } from '@switchyard/kernel';
import { isJsonObject } from '@switchyard/model';
import type { CommandContext, FlagValues } from '../command.ts';
import type { controlFlags } from './control-flags.ts';
import { controlErrors } from './errors.ts';
import { controlLimits } from './limits.ts';
import { platformFolder } from './platform-folder.ts';

/** A control API and what opens it. */
export interface ControlEndpoint {
  /** Without a path: scheme, host and port. */
  readonly url: URL;
  readonly token: Secret;
  /** The authorities that are trusted there, as PEM; those whom everybody trusts when left out. */
  readonly authority?: string;
}

/** What `switchyard up` writes into its data folder, for the commands of its user. */
export const controlFileName = 'control.json';

export type ControlFlagValues = FlagValues<typeof controlFlags>;

type Source = Pick<CommandContext, 'environment' | 'workingDirectory'>;

/** Finds the platform: flags, then the environment, then control.json in the data folder. */
export async function findEndpoint(flags: ControlFlagValues, context: Source): Promise<ControlEndpoint> {
  const authority = await readAuthority(flags, context);
  const endpoint = await findAddress(flags, context);
  return authority === undefined ? endpoint : { ...endpoint, authority };
}

async function findAddress(flags: ControlFlagValues, context: Source): Promise<ControlEndpoint> {
  const named = namedEndpoint(flags, context.environment);
  const url = named === undefined ? undefined : parseEndpoint(named.text, named.origin);
  const given = await givenToken(flags, context);
  if (url !== undefined && given !== undefined) return guarded({ url, token: given }, flags);
  const path = join(platformFolder(flags['data-dir'], context), controlFileName);
  const written = await readControlFile(path, url !== undefined);
  if (written === undefined) {
    if (url === undefined) throw controlErrors.create('CONTROL_NOT_RUNNING', { path });
    throw controlErrors.create('CONTROL_TOKEN_MISSING', { endpoint: url.origin });
  }
  if (url !== undefined && written.url.origin !== url.origin)
    throw controlErrors.create('CONTROL_TOKEN_MISSING', { endpoint: url.origin });
  return guarded({ url: written.url, token: given ?? written.token }, flags);
}

function namedEndpoint(
  flags: ControlFlagValues,
  environment: Source['environment'],
): { readonly text: string; readonly origin: string } | undefined {
  if (flags.endpoint !== undefined) return { text: flags.endpoint, origin: '--endpoint' };
  const text = nonEmpty(environment.SWITCHYARD_ENDPOINT);
  return text === undefined ? undefined : { text, origin: 'SWITCHYARD_ENDPOINT' };
}

function parseEndpoint(text: string, origin: string): URL {
  const invalid = (reason: string): Error =>
    // What stands before an @ would be a password.
    controlErrors.create('CONTROL_ENDPOINT_INVALID', {
      endpoint: text.replace(/\/\/[^/]*@/, '//***@'),
      origin,
      reason,
    });
  if (!URL.canParse(text)) throw invalid('it cannot be understood');
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid('it begins with neither http:// nor https://');
  if (url.username !== '' || url.password !== '') throw invalid('it holds a user or a password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') throw invalid('it goes on behind the port');
  return url;
}

async function givenToken(flags: ControlFlagValues, context: Source): Promise<Secret | undefined> {
  const file = flags['token-file'];
  if (file !== undefined) {
    const path = resolve(context.workingDirectory, file);
    const text = await readSmallFile(path).catch((error: unknown) => {
      throw controlErrors.create('INPUT_UNREADABLE', { path, reason: messageOf(error), hint: ' with --token-file' });
    });
    return parseToken(text, `'${path}'`);
  }
  const text = nonEmpty(context.environment.SWITCHYARD_TOKEN);
  return text === undefined ? undefined : parseToken(text, 'SWITCHYARD_TOKEN');
}

async function readAuthority(
  flags: ControlFlagValues,
  { environment, workingDirectory }: Source,
): Promise<string | undefined> {
  const file = flags['ca-file'] ?? nonEmpty(environment.SWITCHYARD_CA_FILE);
  if (file === undefined) return undefined;
  const path = resolve(workingDirectory, file);
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw controlErrors.create('INPUT_UNREADABLE', { path, reason: messageOf(error), hint: ' with --ca-file' });
  });
}

/** A token is one word that may stand in a header; it is never quoted. */
function parseToken(text: string, origin: string): Secret {
  const token = text.trim();
  const invalid = (reason: string): Error => controlErrors.create('CONTROL_TOKEN_INVALID', { origin, reason });
  if (token === '') throw invalid('it is empty');
  if (!/^[\x21-\x7e]+$/.test(token)) throw invalid('it holds blanks or characters that are not ASCII');
  return new Secret(token);
}

/** Undefined when there is no such file, and when it is broken although the endpoint is known without it. */
async function readControlFile(path: string, isOptional: boolean): Promise<ControlEndpoint | undefined> {
  try {
    const value: unknown = JSON.parse(await readSmallFile(path));
    if (!isJsonObject(value) || typeof value.endpoint !== 'string' || typeof value.token !== 'string')
      throw new Error('it must hold "endpoint" and "token"');
    return { url: parseEndpoint(value.endpoint, path), token: parseToken(value.token, `'${path}'`) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || isOptional) return undefined;
    if (isPlatformError(error)) throw error;
    // The text of a JSON error quotes the file, which holds a token.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error);
    throw controlErrors.create('CONTROL_FILE_INVALID', { path, reason }, error);
  }
}

async function readSmallFile(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > controlLimits.maxTokenFileBytes) throw new Error(`it has ${size} bytes, far more than such a file needs`);
  return readFile(path, 'utf8');
}

function guarded(endpoint: ControlEndpoint, flags: ControlFlagValues): ControlEndpoint {
  const { url } = endpoint;
  if (url.protocol === 'https:' || isLoopback(url.hostname) || flags['allow-http']) return endpoint;
  throw controlErrors.create('CONTROL_TOKEN_IN_CLEAR', { endpoint: url.origin });
}

/** True for this machine itself, by a name that no name server decides on. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
