/**
 * 64-bit integers as libraries expect them: objects of the `long` package. It is loaded when the first message needs
 * it, because hardly any does.
 *
 * Ownership: one per worker.
 *
 * I1 Nothing is loaded before `load`.
 * I2 Every 64-bit integer keeps its exact value.
 */
import { invariant } from '@switchyard/kernel';
import type { InvocationRequest, TypedData } from '@switchyard/protocol';

/** The part of the `long` package that is used. */
interface LongFactory {
  fromBits(low: number, high: number): object;
}

export class LongIntegers {
  #factory: LongFactory | undefined;

  /** True when the request holds 64-bit integers that cannot be converted yet. */
  mustLoadFor(request: InvocationRequest): boolean {
    if (this.#factory) return false;
    for (const { rpcData } of request.inputData) {
      if (rpcData?.$case === 'data' && holdsInteger(rpcData.value)) return true;
    }
    for (const value of request.triggerMetadata.values()) if (holdsInteger(value)) return true;
    return false;
  }

  async load(): Promise<void> {
    this.#factory ??= (await import('long')).default;
  }

  /** The Long of the same value. */
  from(value: bigint): object {
    invariant(this.#factory, 'the long package is loaded before integers are converted');
    return this.#factory.fromBits(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  }
}

function holdsInteger({ data }: TypedData): boolean {
  return data?.$case === 'int' || data?.$case === 'collectionSint64';
}
