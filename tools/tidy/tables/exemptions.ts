/** What code in `packages/*\/src` may not touch by itself, because it comes in through a port. */
export type Ban = 'wall-clock' | 'randomness' | 'timers' | 'turns' | 'environment' | 'sockets' | 'processes';

/** A place that may, and why. An exemption that nothing needs any more is a finding too. */
export interface Exemption {
  readonly ban: Ban;
  /** A file, or a folder with a slash at its end. */
  readonly path: string;
  readonly reason: string;
}

export const exemptions: readonly Exemption[] = [
  { ban: 'wall-clock', path: 'packages/kernel/src/system-clock.ts', reason: 'the adapter behind the Clock port' },
  { ban: 'timers', path: 'packages/kernel/src/system-clock.ts', reason: 'the adapter behind the Clock port' },
  { ban: 'randomness', path: 'packages/kernel/src/random.ts', reason: 'the adapter behind the Random port' },
  { ban: 'sockets', path: 'packages/protocol/src/transport/', reason: 'the transport is the adapter to the network' },
  { ban: 'turns', path: 'packages/protocol/src/transport/', reason: 'writes of one turn leave in one packet' },
  { ban: 'turns', path: 'packages/runtime/src/dispatch/fair-turns.ts', reason: 'one turn reads what has arrived' },
  { ban: 'turns', path: 'packages/cli/src/run-process.ts', reason: 'lines leave in few writes' },
  { ban: 'environment', path: 'packages/worker-node/src/environment.ts', reason: 'specialization replaces it' },
  { ban: 'turns', path: 'packages/worker-node/src/patient-clock.ts', reason: 'arrived answers before timeouts' },
  {
    ban: 'environment',
    path: 'packages/capabilities/src/environment.ts',
    reason: "the ready-made client runs inside the customer's function, which has no composition root",
  },
  { ban: 'wall-clock', path: 'packages/capabilities/src/environment.ts', reason: 'the same: nobody hands it a clock' },
  {
    ban: 'turns',
    path: 'packages/capabilities/src/rpc/after-this-turn.ts',
    reason: 'messages of one turn leave in one write',
  },
  { ban: 'sockets', path: 'packages/capabilities/src/rpc/connect.ts', reason: 'the adapter behind an endpoint' },
  {
    ban: 'processes',
    path: 'packages/capability-broker/src/hosts/process/process-host.ts',
    reason: 'the adapter behind the port that opens hosts',
  },
  { ban: 'processes', path: 'packages/sidecar/src/node-processes.ts', reason: 'the adapter behind the process port' },
  {
    ban: 'processes',
    path: 'packages/sidecar/src/orphan-guard.ts',
    reason: 'part of the adapter behind the process port',
  },
  { ban: 'processes', path: 'packages/sidecar/src/orphan-guard.ts', reason: 'the part of it that outlives the host' },
  {
    ban: 'sockets',
    path: 'packages/node-agent/src/driver/docker/engine-client.ts',
    reason: "the adapter to the container engine's socket",
  },
  {
    ban: 'turns',
    path: 'packages/control-plane/src/store/sqlite/sqlite-file.ts',
    reason: 'the writes of one turn share one wait for the disk',
  },
  {
    ban: 'turns',
    path: 'packages/standalone/src/fleet/forward-request.ts',
    reason: 'a head and the body that came with it leave in one write',
  },
  { ban: 'turns', path: 'packages/sidecar/src/node-processes.ts', reason: 'a failed start is reported after the call' },
];

/** Composition roots: they read the environment, open sockets and start processes, and hand them on as ports. */
export const compositionRoots: readonly string[] = ['packages/standalone/src/', 'packages/cli/src/'];

/** Code of packages that only tests run: it may start the real thing. */
export const testSupport: readonly RegExp[] = [
  /^packages\/testkit\/src\//,
  /^packages\/[^/]+\/src\/(?:[^/]+\/)?testing\//,
  /^packages\/[^/]+\/src\/conformance\//,
];

/** Bans that composition roots are free of. `main.ts` files are free of all. */
export const freeInCompositionRoots: readonly Ban[] = ['environment', 'sockets', 'processes'];

/** Bans that test support is free of: it still keeps to the clock. */
export const freeInTestSupport: readonly Ban[] = ['environment', 'sockets', 'processes', 'turns'];
