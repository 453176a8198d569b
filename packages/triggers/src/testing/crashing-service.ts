/**
 * A storage service as a process uses it that dies: at the request of a given number nothing is answered any more, that
 * request and all later ones included.
 */

/** When a process dies: before its request is carried out, or after. */
export interface Crash {
  /** Which of its requests, counted from 0 over all services with this crash. */
  readonly atRequest: number;
  readonly when: 'before' | 'after';
  /** Told once, at that moment. */
  readonly crashed: () => void;
  /** Counts on; one object for all services of the process. */
  readonly count: { requests: number };
}

/** Wraps what `open` returns: every method of it that returns a promise counts as a request. */
export function createCrashingService<Service extends { open(...call: never[]): object }>(
  service: Service,
  crash: Crash,
): Service {
  return new Proxy(service, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (key !== 'open' || typeof member !== 'function') return member;
      return (...call: unknown[]) => wrap(member.apply(target, call) as object, crash);
    },
  });
}

function wrap(client: object, crash: Crash): object {
  return new Proxy(client, {
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (typeof member !== 'function') return member;
      return async (...call: unknown[]) => {
        const number = crash.count.requests;
        crash.count.requests += 1;
        if (number > crash.atRequest) return new Promise(() => {});
        if (number < crash.atRequest) return member.apply(target, call);
        if (crash.when === 'after') await member.apply(target, call);
        crash.crashed();
        return new Promise(() => {});
      };
    },
  });
}
