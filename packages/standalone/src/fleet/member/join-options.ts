import type { Secret } from '@switchyard/kernel';

/** How a Runtime joins an installation. */
export interface JoinOptions {
  /** The port for workers of the installation: `http://host:port` or `https://host:port`. */
  readonly url: string;
  readonly token: Secret;
  /** The path of the authorities that are trusted there, in PEM. */
  readonly authority: string | undefined;
  readonly name: string;
  /** Differs at every start; the one who starts the process knows it. */
  readonly instanceId: string;
  readonly region: string | undefined;
  readonly maxWorkers: number;
  readonly maxApplications: number;
  /** How the installation reaches this process where it is not this machine; its addresses of 127.0.0.1 when left out. */
  readonly advertisedHost: string | undefined;
}

export const joinDefaults = {
  maxWorkers: 20,
  maxApplications: 1_000,
  /** Between tries to join, and for how long a call may take. */
  retryMs: 1_000,
  connectMs: 15_000,
  /** Unsent bytes beyond which log lines are left out. */
  maxLogBytes: 1_048_576,
  /** The same for frames of workers that somebody watches. */
  maxTraceBytes: 524_288,
} as const;
