/** Stubs of the library, as far as the client uses them: its own types do not carry `unknown` through a call. */
import type {
  AcquireMessage,
  AcquireRecord,
  CapabilityInfo,
  HandleRecord,
  HealthStatus,
  InvokeOptions,
} from './contract.ts';

export interface TargetStub extends Disposable {
  invoke(method: string, parameters: readonly unknown[], options: InvokeOptions): PromiseLike<unknown>;
  cancel(callId: string): PromiseLike<unknown>;
}

export interface LeaseStub extends Disposable {
  renew(): PromiseLike<number>;
  release(): PromiseLike<unknown>;
}

/** One acquired capability as it arrives. */
export type HandleOnWire = HandleRecord<LeaseStub, TargetStub>;

export interface AccountStub {
  list(): PromiseLike<CapabilityInfo[]>;
  acquire(message: AcquireMessage): PromiseLike<AcquireRecord<HandleOnWire>>;
  release(names: readonly string[]): PromiseLike<unknown>;
  health(): PromiseLike<HealthStatus>;
}

/** The broker's gate. */
export interface GateStub {
  authenticate(token: string): AccountStub;
}
