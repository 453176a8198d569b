/** The unary methods that extension libraries call beside a worker's stream, on the port that it was told. */

/** The calls of the service `Settlement`. */
export const settlementCalls = [
  'Complete',
  'Abandon',
  'Deadletter',
  'Defer',
  'RenewMessageLock',
  'GetSessionState',
  'SetSessionState',
  'ReleaseSession',
  'RenewSessionLock',
] as const;

export type SettlementCall = (typeof settlementCalls)[number];

/** The path of a call. */
export function settlementPath(call: SettlementCall): string {
  return `/Settlement/${call}`;
}
