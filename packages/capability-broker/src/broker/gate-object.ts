/**
 * What everybody sees who connects: nothing, until a token says who they are.
 *
 * I1 A token that is not good gets UNAUTHENTICATED, and one that may not administer gets FORBIDDEN.
 * I2 A session that shows too many bad tokens is refused from then on.
 */
import { type BrokerGate, RpcTarget } from '@switchyard/capabilities';
import { capabilityErrors } from '../errors.ts';
import { AccountObject } from './account-object.ts';
import { type AdminDeps, AdminObject } from './admin-object.ts';
import type { Account } from './broker.ts';

/** What a token says. */
export interface Identity {
  readonly account: Account;
  /** May see and change everything. */
  readonly administers: boolean;
}

/** Reads a token; undefined when it is not good. */
export type TokenVerifier = (token: string) => Identity | undefined | Promise<Identity | undefined>;

export interface GateDeps extends AdminDeps {
  readonly verify: TokenVerifier;
  /** Told when somebody said who they are. Not a property of the object: peers could read that. */
  identified?(): void;
}

const maxTokenLength = 8_192;
const maxBadTokens = 5;

export class GateObject extends RpcTarget implements BrokerGate {
  readonly #deps: GateDeps;
  #badTokens = 0;

  constructor(deps: GateDeps) {
    super();
    this.#deps = deps;
  }

  async authenticate(token: string): Promise<AccountObject> {
    const { account } = await this.#identify(token);
    return new AccountObject(this.#deps.broker, account);
  }

  /** The administrator's object. */
  async administer(token: string): Promise<AdminObject> {
    const { account, administers } = await this.#identify(token);
    if (administers) return new AdminObject(this.#deps);
    const reason = 'its token does not administer the broker';
    throw capabilityErrors.create('FORBIDDEN', { action: 'administer', account: account.id, reason });
  }

  async #identify(token: unknown): Promise<Identity> {
    const readable = typeof token === 'string' && token.length <= maxTokenLength && this.#badTokens < maxBadTokens;
    const identity = readable ? await this.#deps.verify(token) : undefined;
    if (identity !== undefined) {
      this.#deps.identified?.();
      return identity;
    }
    this.#badTokens += 1;
    throw capabilityErrors.create('UNAUTHENTICATED');
  }
}
