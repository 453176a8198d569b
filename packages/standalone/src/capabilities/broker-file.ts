import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Log, messageOf, Secret, type Timer } from '@switchyard/kernel';
import { standaloneErrors } from '../errors.ts';
import { capabilityProcessErrors } from './errors.ts';

/** The file in the data folder by which commands on the same machine find the broker. */
export const brokerFileName = 'capabilities.json';

/** Owner reads and writes, nobody else: it holds a token. */
const privateMode = 0o600;

export interface BrokerAccess {
  /** `unix:<path>` */
  readonly endpoint: string;
  /** An administrator's. */
  readonly token: Secret;
}

/** How often the token is made anew; it holds for much longer. */
const renewMs = 24 * 60 * 60_000;

export interface KeepBrokerFileDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Makes a token anew. */
  access(): Promise<BrokerAccess>;
}

/** Keeps the file with a token that holds until the answered function is called. Rejects with DATA_FOLDER_UNWRITABLE. */
export async function keepBrokerFile(
  { clock, log, access }: KeepBrokerFileDeps,
  dataDirectory: string,
): Promise<() => Promise<void>> {
  let timer: Timer;
  const write = async (): Promise<void> => writeBrokerFile(dataDirectory, await access());
  const renew = (): void => {
    timer = clock.schedule(renewMs, () => {
      write().catch((error: unknown) =>
        log.write('error', 'The file by which commands find the broker could not be renewed', {
          error: messageOf(error),
        }),
      );
      renew();
    });
  };
  await write();
  renew();
  return async () => {
    timer.cancel();
    await removeBrokerFile(dataDirectory);
  };
}

/** Writes the file whole. Rejects with DATA_FOLDER_UNWRITABLE. */
export async function writeBrokerFile(dataDirectory: string, { endpoint, token }: BrokerAccess): Promise<void> {
  const path = join(dataDirectory, brokerFileName);
  const draft = `${path}.new`;
  try {
    await rm(draft, { force: true });
    const content = `${JSON.stringify({ endpoint, token: token.reveal() })}\n`;
    await writeFile(draft, content, { mode: privateMode, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    throw standaloneErrors.create('DATA_FOLDER_UNWRITABLE', { path, reason: messageOf(error) }, error);
  }
}

/** Where the broker of a data folder is; rejects with BROKER_NOT_RUNNING when none is. */
export async function readBrokerFile(dataDirectory: string): Promise<BrokerAccess> {
  const path = join(dataDirectory, brokerFileName);
  try {
    const { endpoint, token }: { readonly endpoint: unknown; readonly token: unknown } = JSON.parse(
      await readFile(path, 'utf8'),
    );
    if (typeof endpoint === 'string' && typeof token === 'string') return { endpoint, token: new Secret(token) };
    throw new Error('it holds no endpoint and token');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const reason = isMissing ? 'it is not there' : messageOf(error);
    throw capabilityProcessErrors.create('BROKER_NOT_RUNNING', { path, reason }, error);
  }
}

/** The broker has ended. */
export async function removeBrokerFile(dataDirectory: string): Promise<void> {
  await rm(join(dataDirectory, brokerFileName), { force: true });
}
