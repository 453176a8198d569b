import { type Clock, type Log, messageOf, type Secret, type Timer } from '@switchyard/kernel';
import { removeControlFile, writeControlFile } from './control-file.ts';

/** How often the token for commands on this machine is made anew; it holds for much longer. */
const renewalMs = 6 * 60 * 60_000;

export interface KeepControlFileDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly issueToken: () => Promise<Secret>;
}

/**
 * Lets the commands of this machine's user find the control API, until the answered function is called. A renewal that fails
 * is logged, and the next one tries again.
 * @throws PlatformError DATA_FOLDER_UNWRITABLE when the first one cannot be written
 */
export async function keepControlFile(
  { clock, log, issueToken }: KeepControlFileDeps,
  { directory, endpoint }: { readonly directory: string; readonly endpoint: string },
): Promise<() => Promise<void>> {
  let timer: Timer | undefined;
  let renewing: Promise<void> = Promise.resolve();
  const write = async (): Promise<void> => writeControlFile(directory, { endpoint, token: await issueToken() });
  const renewLater = (): void => {
    timer = clock.schedule(renewalMs, () => {
      renewLater();
      renewing = write().catch((error: unknown) =>
        log.write('error', 'The control file could not be renewed', { error: messageOf(error) }),
      );
    });
  };
  await write();
  renewLater();
  return async () => {
    timer?.cancel();
    await renewing;
    await removeControlFile(directory);
  };
}
