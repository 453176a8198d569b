import type { RetentionPolicy } from './contract.ts';

/** Named limits of the store. */
export const storeLimits = {
  /** Rows of one answer. */
  page: 1_000,
  /** Bytes of a document's value as JSON. */
  documentBytes: 1024 * 1024,
  /** Writes, events or audit entries of one commit. */
  commitParts: 1_000,
  /** Characters of a kind, a key, a name or an id. */
  textLength: 512,
  /** Rows that one step of a sweep removes, so that no sweep holds the store for long. */
  sweepStep: 1_000,
} as const;

const dayMs = 86_400_000;

/** How long things stay unless told otherwise. */
export const retentionDefaults: RetentionPolicy = {
  // Longer than any dead letter is likely to wait for its replay, which clears its row anyway.
  inboxMs: 30 * dayMs,
  eventsMs: 30 * dayMs,
  auditMs: 365 * dayMs,
};

/** How long documents of the domain stay after their last change; for `expiresAtMs`. */
export const documentRetentionMs = {
  healthCheckResult: 30 * dayMs,
  deployment: 365 * dayMs,
  configuration: 365 * dayMs,
  secretBinding: 365 * dayMs,
  retiredService: 90 * dayMs,
  resolvedFinding: 90 * dayMs,
} as const;
