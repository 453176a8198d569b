import type { Clock } from '@switchyard/kernel';

/** Names and values that the workers of an account find in their environment. */
export type AccountEnvironment = Readonly<Record<string, string>>;

/** A token in it holds for much longer than this, and making one for every cold start would cost each of them. */
const keptMs = 60 * 60_000;

/** Answers the environment of an account, made anew every hour; calls at the same time share one. A failure is not kept. */
export function keepAccountEnvironments(
  clock: Pick<Clock, 'monotonic'>,
  make: (accountId: string) => Promise<AccountEnvironment>,
): (accountId: string) => Promise<AccountEnvironment> {
  const kept = new Map<string, { readonly untilMs: number; readonly environment: Promise<AccountEnvironment> }>();
  return (accountId) => {
    const known = kept.get(accountId);
    if (known !== undefined && clock.monotonic() < known.untilMs) return known.environment;
    const environment = make(accountId);
    const entry = { untilMs: clock.monotonic() + keptMs, environment };
    kept.set(accountId, entry);
    environment.catch(() => {
      if (kept.get(accountId) === entry) kept.delete(accountId);
    });
    return environment;
  };
}
