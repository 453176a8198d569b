/** What the engine says of a container. Pure. */
import type { StartOutcome } from '../contract.ts';

/** The part of an inspection that counts. */
export interface Inspection {
  readonly Image?: string;
  readonly State?: {
    readonly Status?: string;
    readonly Running?: boolean;
    readonly ExitCode?: number;
    readonly OOMKilled?: boolean;
    /** ISO 8601. */
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
    readonly Health?: { readonly Status?: string };
  };
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> };
  readonly NetworkSettings?: {
    readonly IPAddress?: string;
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>>;
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort?: string }[] | null>>;
  };
}

/** Where a container that runs can be reached. Engines of some versions tell its address by network alone. */
export function toStarted(found: Inspection | undefined): Extract<StartOutcome, { kind: 'started' }> {
  const settings = found?.NetworkSettings;
  const addresses = [settings?.IPAddress, ...Object.values(settings?.Networks ?? {}).map((one) => one.IPAddress)];
  const ports = Object.entries(settings?.Ports ?? {}).flatMap(([name, bound]) => {
    const port = bound?.[0]?.HostPort;
    return port === undefined ? [] : [[name.split('/')[0] ?? name, Number(port)] as const];
  });
  return {
    kind: 'started',
    address: addresses.find((one) => one !== undefined && one !== '') ?? null,
    ports: Object.fromEntries(ports),
  };
}
