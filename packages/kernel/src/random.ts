import { randomBytes, randomUUID } from 'node:crypto';

/** Randomness as a port, so that a simulated run is reproducible from its seed. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A version 4 UUID in lower case. */
  uuid(): string;
  /** `sizeBytes` unpredictable bytes. */
  bytes(sizeBytes: number): Uint8Array;
}

/** The machine's own randomness. */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  uuid: () => randomUUID(),
  bytes: (sizeBytes) => randomBytes(sizeBytes),
};
