import type { Link, LinkEnd } from '../link.ts';

/** A Link that was over before it began: for an opener whose channel can open nothing. */
export function createEndedLink(peer: string, end: LinkEnd): Link {
  return {
    peer,
    metadata: new Map(),
    bufferedBytes: 0,
    closed: Promise.resolve(end),
    send: () => false,
    drained: () => Promise.resolve(),
    receive: () => {},
    pause: () => {},
    resume: () => {},
    end: () => {},
    cancel: () => {},
  };
}
