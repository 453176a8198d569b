import { triggerErrors } from '../errors.ts';
import { insist, type RequestDeps } from '../storage/storage-request.ts';
import type { QueueClient } from './queue-client.ts';

/** A queue that is deleted while it is written to is created again this often. */
const maxCreations = 3;

/** Tries per request. */
const maxTries = 4;

/**
 * Sends a message and creates the queue when there is none. A request whose answer was lost is made again, so a fault of
 * the network may double a message; it never loses one that this resolved for.
 */
export async function sendMessage(
  deps: RequestDeps,
  client: QueueClient,
  text: string,
  signal?: AbortSignal,
): Promise<void> {
  const queue = client.name;
  for (let creations = 0; creations <= maxCreations; creations += 1) {
    const sent = await insist(
      deps,
      { operation: 'send', queue },
      maxTries,
      (abort) => client.send(text, abort),
      signal,
    );
    if (sent === 'sent') return;
    await insist(deps, { operation: 'create', queue }, maxTries, (abort) => client.create(abort), signal);
  }
  throw triggerErrors.create('QUEUE_OUTPUT_UNSAFE', { queue });
}
