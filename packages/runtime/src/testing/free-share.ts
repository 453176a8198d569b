import type { Share } from '../dispatch/fair-turns.ts';

/** The share of a dispatcher that competes with nobody. */
export const freeShare: Share = { take: () => true, give: () => {}, leave: () => {} };
