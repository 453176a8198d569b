import type { Edges } from '@switchyard/kernel';

/** What a worker is to the Runtime. */
export type WorkerState =
  /** Announced by the supply, or connected and not initialized yet. */
  | { readonly kind: 'initializing' }
  | { readonly kind: 'placeholder' }
  | { readonly kind: 'specializing' }
  | { readonly kind: 'loading' }
  /** Loaded every function; invocations may go to it. */
  | { readonly kind: 'ready' }
  /** Connected and busy, but silent or not taking what is sent: nothing new goes to it. */
  | { readonly kind: 'unhealthy'; readonly cause: 'silent' | 'back-pressure' }
  | { readonly kind: 'draining' }
  | { readonly kind: 'stopped' }
  /** Its stream dropped. The same id may come back, with the next epoch. */
  | { readonly kind: 'lost' }
  /** Given up: customer code hung in it. It never returns. */
  | { readonly kind: 'abandoned' };

/** The worker machine; a worker that is no placeholder goes from Initializing to Loading directly. */
export const workerEdges: Edges<WorkerState['kind']> = {
  initializing: ['placeholder', 'loading', 'draining', 'stopped', 'lost'],
  placeholder: ['specializing', 'draining', 'stopped', 'lost'],
  specializing: ['loading', 'draining', 'lost', 'abandoned'],
  loading: ['ready', 'draining', 'lost', 'abandoned'],
  ready: ['unhealthy', 'draining', 'lost', 'abandoned'],
  unhealthy: ['ready', 'draining', 'lost', 'abandoned'],
  draining: ['stopped', 'lost', 'abandoned'],
  stopped: ['lost'],
  lost: ['initializing', 'stopped'],
  abandoned: ['lost'],
};
