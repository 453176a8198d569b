/** The supply of the installation, by way of the channel. What it knows is void when the channel ends. */
import type { ReleaseReason, SupplyEvent, SupplyRequest, WorkerSupply } from '@switchyard/protocol';
import type { InstallationNotes } from '../messages.ts';

type SendNote = <Method extends 'ensure' | 'release'>(method: Method, body: InstallationNotes[Method]) => void;

export class LinkSupply implements WorkerSupply {
  readonly #send: SendNote;
  readonly #observers = new Set<(event: SupplyEvent) => void>();
  readonly #expected = new Map<string, Extract<SupplyEvent, { kind: 'expected' }>>();

  constructor(send: SendNote) {
    this.#send = send;
  }

  ensure(request: SupplyRequest): void {
    this.#send('ensure', request);
  }

  release(workerId: string, reason: ReleaseReason): void {
    this.#send('release', { workerId, reason });
  }

  watch(observer: (event: SupplyEvent) => void): () => void {
    for (const event of this.#expected.values()) observer(event);
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** The installation tells of a worker. */
  tell(event: SupplyEvent): void {
    if (event.kind === 'expected') this.#expected.set(event.workerId, event);
    if (event.kind === 'exited') this.#expected.delete(event.workerId);
    for (const observer of [...this.#observers]) observer(event);
  }

  /** The workers that were told of are another's to end. */
  forget(): void {
    for (const workerId of [...this.#expected.keys()]) {
      this.tell({ kind: 'exited', workerId, exitCode: null, signal: null, stderrTail: [] });
    }
  }
}
