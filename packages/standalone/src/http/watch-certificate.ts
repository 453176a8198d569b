/**
 * Takes up certificates that were renewed, without a restart: the files are read now and then, and a pair that is new and good
 * is shown from the next connection on.
 *
 * Ownership: the composition root; the answered function ends it.
 *
 * I1 What cannot be read, does not belong together or has ended is not shown: what was shown before stays.
 * I2 A problem that was there at two looks in a row is told once: files of a pair are not replaced at the same instant.
 */
import { type Clock, type Log, messageOf, type Timer } from '@switchyard/kernel';
import type { CertificatePair } from './check-certificate.ts';

export interface WatchCertificateDeps {
  readonly clock: Clock;
  readonly log: Log;
  /** Reads and checks the pair. Rejects with what is wrong with it. */
  readonly read: () => Promise<CertificatePair>;
  readonly show: (pair: CertificatePair) => void;
}

/** How often the files are read: what replaces certificates does so days before their end. */
const lookMs = 10_000;

/** Watches from a pair on that is shown already. */
export function watchCertificate(
  { clock, log, read, show }: WatchCertificateDeps,
  shown: CertificatePair,
  everyMs: number = lookMs,
): () => void {
  let current = shown;
  let problem: string | undefined;
  let told: string | undefined;
  let timer: Timer | undefined;
  const look = async (): Promise<void> => {
    try {
      const pair = await read();
      problem = undefined;
      told = undefined;
      if (pair.certificate === current.certificate && pair.key === current.key) return;
      show(pair);
      current = pair;
      log.write('information', 'A renewed certificate is shown from now on', {});
    } catch (thrown) {
      const reason = messageOf(thrown);
      if (reason === problem && reason !== told) {
        told = reason;
        log.write('warning', 'A renewed certificate cannot be shown; the one from before stays', { reason });
      }
      problem = reason;
    }
  };
  const plan = (): void => {
    timer = clock.schedule(everyMs, () => void look().then(() => timer && plan()));
  };
  plan();
  return () => {
    timer?.cancel();
    timer = undefined;
  };
}
