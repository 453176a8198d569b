/**
 * Connections that reach public addresses only.
 *
 * Ownership: the web capability owns the agent and closes it.
 *
 * I1 A name is resolved once for each connection, all its addresses are checked, and the connection goes to one of those:
 *    what the name service says later changes nothing.
 * I2 One address that is not public refuses the name as a whole.
 * I3 Only what the operator allows by name and port is exempt.
 */
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { libraryErrors } from '../errors.ts';
import { reasonAgainstAddress } from './address-policy.ts';
import type { WebOptions } from './web-options.ts';
import { isAllowed } from './web-target.ts';

/** An address that a name stands for. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface GuardedAgentDeps {
  /** Asks the name service. */
  resolve(host: string): Promise<readonly ResolvedAddress[]>;
  /** Why an address is not reached, or undefined; tests put their own here. */
  readonly reasonAgainst?: (address: string) => string | undefined;
}

export function createGuardedAgent(deps: GuardedAgentDeps, options: WebOptions): Agent {
  const { timeoutMs, maxConnectionsPerOrigin } = options;
  const reasonAgainst = deps.reasonAgainst ?? reasonAgainstAddress;
  const connectWith = (lookup: LookupFunction): buildConnector.connector =>
    buildConnector({ timeout: timeoutMs, lookup, allowH2: false });
  const guarded = connectWith(lookupWith(deps, reasonAgainst));
  const open = connectWith(lookupWith(deps, () => undefined));
  const agent = new Agent({
    connections: maxConnectionsPerOrigin,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxHeaderSize: 32 * 1024,
    connect: (target, callback) => {
      const { hostname, port, protocol } = target;
      const host = hostname.toLowerCase();
      const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
      if (isAllowed(host, number, options)) {
        open(target, callback);
        return;
      }
      // A connection to a literal address asks no name service, so it is checked here.
      const literal = host.replace(/^\[|\]$/g, '');
      const reason = isIP(literal) === 0 ? undefined : reasonAgainst(literal);
      if (reason === undefined) guarded(target, callback);
      else callback(refused(host, reason), null);
    },
  });
  return agent;
}

function lookupWith(deps: GuardedAgentDeps, reasonAgainst: (address: string) => string | undefined): LookupFunction {
  return (host, { all }, callback) => {
    deps
      .resolve(host)
      .then((addresses) => {
        const [first] = addresses;
        if (first === undefined) throw new Error(`'${host}' has no address`);
        for (const { address } of addresses) {
          const reason = reasonAgainst(address);
          if (reason !== undefined) throw refused(host, reason);
        }
        if (all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      })
      .catch((error: Error) => callback(error, '', 0));
  };
}

function refused(host: string, reason: string): Error {
  return libraryErrors.create('WEB_TARGET_REFUSED', { url: host, reason });
}
