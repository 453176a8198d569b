/** What the server needs of the control plane to answer for its records; left out where no control plane runs. */
import type { Bus } from '../bus/contract.ts';
import type { DomainCommands } from '../domain/commands.ts';
import type { DomainView } from '../frame/contract.ts';
import type { Store } from '../store/contract.ts';

export interface DomainApi {
  readonly view: DomainView;
  readonly commands: DomainCommands;
  readonly store: Pick<Store, 'events' | 'audit' | 'outbox'>;
  readonly deadLetters: Bus['deadLetters'];
}
