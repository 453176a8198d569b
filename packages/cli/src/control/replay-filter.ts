/** Tells lines that were shown before from new ones, when a stream begins anew with what is kept. */
export interface ReplayFilter {
  /** A connection begins; `isReplayed` says whether it repeats lines of the one before. */
  restart(isReplayed: boolean): void;
  /** True when the line with this time was not shown yet. Lines come in the order of their times. */
  isNew(at: string): boolean;
}

/**
 * Remembers the time of the last line and how many lines had it. Of a stream that is repeated, earlier lines and as many
 * with that very time are passed over.
 */
export function createReplayFilter(): ReplayFilter {
  let last = '';
  let shownAtLast = 0;
  let toSkipAtLast = 0;
  let isReplaying = false;
  return {
    restart(isReplayed) {
      isReplaying = isReplayed;
      toSkipAtLast = shownAtLast;
    },
    isNew(at) {
      if (isReplaying) {
        if (at < last) return false;
        if (at === last && toSkipAtLast > 0) {
          toSkipAtLast -= 1;
          return false;
        }
        isReplaying = false;
      }
      // Clocks go back at times; a line of now is never one of before.
      if (at === last) shownAtLast += 1;
      else shownAtLast = 1;
      last = at;
      return true;
    },
  };
}
