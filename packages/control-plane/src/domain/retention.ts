/** How long what is over is kept. */
import type { RecordPut } from './records.ts';

const dayMs = 24 * 60 * 60_000;

export const retentionMs = {
  deployment: 365 * dayMs,
  /** Services that are gone, findings that are resolved, alerts that are cleared, settings that were changed. */
  ended: 90 * dayMs,
} as const;

/** Undefined for what is kept as long as it is not removed. */
export function retentionMsOf({ kind, record }: RecordPut): number | undefined {
  switch (kind) {
    case 'deployment':
      return record.finishedAt === undefined ? undefined : retentionMs.deployment;
    case 'service':
      return record.missedSweeps >= 2 ? retentionMs.ended : undefined;
    case 'settingsRequest':
      return record.finishedAt === undefined ? undefined : retentionMs.ended;
    case 'finding':
      return record.state === 'resolved' ? retentionMs.ended : undefined;
    case 'alert':
      return record.state === 'cleared' ? retentionMs.ended : undefined;
    default:
      return undefined;
  }
}
