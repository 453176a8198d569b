import { join } from 'node:path';
import { connect, isCapabilityError, type RpcTarget } from '@switchyard/capabilities';
import type { BrokerStats, CapabilityLine, CapabilityManifestInput } from '@switchyard/capability-broker';
import { brokerFileName, readBrokerFile } from './broker-file.ts';
import { capabilityProcessErrors } from './errors.ts';

/** What an administrator can do with a running broker. Calls reject with BROKER_REFUSED, or BROKER_NOT_RUNNING. */
export interface CapabilityAdministrator {
  list(): Promise<readonly CapabilityLine[]>;
  stats(): Promise<BrokerStats>;
  /** Returns how many shards are loaded. */
  warm(name: string, version: string | null, shards: number): Promise<number>;
  rollout(name: string, version: string, weight: number): Promise<void>;
  /** Returns how many hosts drain. */
  drain(name: string, version: string | null): Promise<number>;
  /** Returns the sha256 of the content. */
  add(manifest: CapabilityManifestInput, fileName: string, content: Uint8Array, weight: number): Promise<string>;
  /** Returns how many versions are gone. */
  remove(name: string, version: string | null): Promise<number>;
  close(): void;
}

/** The administrator's object as it arrives. */
type AdminStub = {
  readonly [Method in Exclude<keyof CapabilityAdministrator, 'close'>]: (
    ...parameters: Parameters<CapabilityAdministrator[Method]>
  ) => PromiseLike<Awaited<ReturnType<CapabilityAdministrator[Method]>>>;
};

/** Connects to the broker of a data folder. Rejects with BROKER_NOT_RUNNING. */
export async function connectAdministrator(dataDirectory: string): Promise<CapabilityAdministrator> {
  const { endpoint, token } = await readBrokerFile(dataDirectory);
  const session = connect<RpcTarget>(endpoint);
  const gate = session.main as unknown as { administer(token: string): AdminStub };
  const admin = gate.administer(token.reveal());
  const ask = async <T>(answer: PromiseLike<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      throw toPlatformError(error, dataDirectory);
    }
  };
  return {
    list: () => ask(admin.list()),
    stats: () => ask(admin.stats()),
    warm: (...parameters) => ask(admin.warm(...parameters)),
    rollout: (...parameters) => ask(admin.rollout(...parameters)),
    drain: (...parameters) => ask(admin.drain(...parameters)),
    add: (...parameters) => ask(admin.add(...parameters)),
    remove: (...parameters) => ask(admin.remove(...parameters)),
    close: () => session.close(),
  };
}

/** The client's own errors are about the connection; the others come from the broker. */
function toPlatformError(error: unknown, dataDirectory: string): Error {
  const reason = error instanceof Error ? error.message : String(error);
  const isLost = isCapabilityError(error) && error.name === 'CapabilityError';
  if (!isLost) return capabilityProcessErrors.create('BROKER_REFUSED', { reason }, error);
  return capabilityProcessErrors.create(
    'BROKER_NOT_RUNNING',
    { path: join(dataDirectory, brokerFileName), reason },
    error,
  );
}
