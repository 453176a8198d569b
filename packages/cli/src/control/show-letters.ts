/** What `dlq` shows: one line per dead letter. */
import type { DeadLetterView } from '@switchyard/protocol/control-api';
import { toCell, toTable } from './table.ts';

export function describeLetters(letters: readonly DeadLetterView[]): string {
  if (letters.length === 0) return 'No worker gave up on anything.\n';
  return toTable(
    ['ID', 'AT', 'EVENT', 'WORKER', 'TRIES', 'REASON', 'DESCRIPTION'],
    letters.map(({ deadLetterId, at, envelope, subscription, deliveryCount, reason, description }) => [
      ...[deadLetterId, at, String(envelope?.eventType ?? '-'), subscription.replace(/^worker-/, '')],
      ...[deliveryCount, reason, toCell(description)],
    ]),
  );
}
