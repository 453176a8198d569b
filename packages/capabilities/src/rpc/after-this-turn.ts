/**
 * Runs `work` once everything that can go on now has done so: the rest of the code that runs, and every promise that is settled.
 * An answer and the request that follows from it then leave together.
 */
export function afterThisTurn(work: () => void): void {
  // From within a promise the tick comes when no other promise is left to go on; without one it would come first.
  void Promise.resolve().then(() => process.nextTick(work));
}
