/**
 * What functions have in hand of Service Bus, so that a worker can settle it itself while the function runs.
 *
 * Ownership: one for a process; a listener holds messages here from before their function starts until it has ended.
 *
 * I1 A message is settled once: the second one who tries is told, and the listener leaves it alone. One whose settling
 *    failed may be settled again.
 * I2 When the function has ended nobody settles its messages any more by their tokens.
 * I3 A lock token opens its own message alone, and a session its own receiver.
 * I4 Who asks for an app finds what functions of that app have in hand; the rest is as unknown as what nobody has.
 */
import { TransientMap } from '@switchyard/kernel';
import { serviceBusErrors } from './errors.ts';
import type { MessageSettling, ServiceBusMessage, ServiceBusReceiver, SessionControl } from './service-bus-client.ts';

interface Entry {
  readonly receiver: ServiceBusReceiver;
  readonly message: ServiceBusMessage;
  readonly applicationId: string;
  /** Resolves with whether it worked; undefined while nobody has settled it. */
  settling: Promise<boolean> | undefined;
}

/** Messages that one invocation has in hand. */
export interface HeldMessages {
  /** Ends the hold; resolves with the messages that nobody has settled. */
  release(): Promise<readonly ServiceBusMessage[]>;
}

/** Whose messages somebody may touch: those of one app, or everybody's. */
export type SettlementScope = { readonly kind: 'all' } | { readonly kind: 'app'; readonly applicationId: string };

export class Settlements {
  readonly #entries = new TransientMap<string, Entry>();

  hold(receiver: ServiceBusReceiver, messages: readonly ServiceBusMessage[], applicationId: string): HeldMessages {
    const entries = messages.map((message): Entry => ({ receiver, message, applicationId, settling: undefined }));
    for (const entry of entries) this.#entries.set(key(entry.message.lockToken), entry);
    return {
      release: async () => {
        for (const entry of entries) {
          const token = key(entry.message.lockToken);
          if (this.#entries.get(token) === entry) this.#entries.delete(token);
        }
        const done = await Promise.all(entries.map(({ settling }) => settling));
        return messages.filter((_, index) => done[index] !== true);
      },
    };
  }

  /** Throws SERVICE_BUS_LOCK_UNKNOWN, or SERVICE_BUS_ALREADY_SETTLED; rejects when the broker refuses. */
  async settle(scope: SettlementScope, lockToken: string, how: MessageSettling): Promise<void> {
    const entry = this.#find(scope, lockToken);
    if (entry.settling !== undefined) throw serviceBusErrors.create('SERVICE_BUS_ALREADY_SETTLED', { lockToken });
    const settled = entry.receiver.settle(entry.message, how);
    entry.settling = settled.then(
      () => true,
      () => {
        entry.settling = undefined;
        return false;
      },
    );
    await settled;
  }

  /** Throws SERVICE_BUS_LOCK_UNKNOWN. */
  async renew(scope: SettlementScope, lockToken: string): Promise<void> {
    const { receiver, message } = this.#find(scope, lockToken);
    await receiver.renew(message);
  }

  /** Throws SERVICE_BUS_SESSION_UNKNOWN, also when several entities have a session of this name in hand. */
  session(scope: SettlementScope, sessionId: string): SessionControl {
    const receivers = new Set(
      [...this.#entries.values()]
        .filter((entry) => entry.message.sessionId === sessionId && isWithin(scope, entry))
        .map(({ receiver }) => receiver),
    );
    const [receiver] = receivers;
    if (receiver?.session === undefined || receivers.size > 1) {
      throw serviceBusErrors.create('SERVICE_BUS_SESSION_UNKNOWN', { sessionId, count: receivers.size });
    }
    return receiver.session;
  }

  #find(scope: SettlementScope, lockToken: string): Entry {
    const entry = this.#entries.get(key(lockToken));
    if (entry === undefined || !isWithin(scope, entry))
      throw serviceBusErrors.create('SERVICE_BUS_LOCK_UNKNOWN', { lockToken });
    return entry;
  }
}

function key(lockToken: string): string {
  return lockToken.toLowerCase();
}

function isWithin(scope: SettlementScope, { applicationId }: Entry): boolean {
  return scope.kind === 'all' || scope.applicationId === applicationId;
}
