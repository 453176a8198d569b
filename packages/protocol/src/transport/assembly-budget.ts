/**
 * The memory that unfinished messages may hold, shared by all streams of a server or channel, so that many peers which
 * each announce a large message cannot exhaust the process together.
 *
 * I1 `heldBytes` never passes `limitBytes`.
 * I2 What was reserved and released again can be reserved anew.
 */
export class AssemblyBudget {
  readonly limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Takes `sizeBytes`, or answers false when they do not fit. */
  reserve(sizeBytes: number): boolean {
    if (this.#heldBytes + sizeBytes > this.limitBytes) return false;
    this.#heldBytes += sizeBytes;
    return true;
  }

  release(sizeBytes: number): void {
    this.#heldBytes -= sizeBytes;
  }
}
