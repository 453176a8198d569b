/** The capability broker: registry, leases, hosts, shards, warmth, roll-outs, and the built-in capabilities. */

export type { AcquireOutcome, Grant } from './broker/acquire-outcome.ts';
export {
  type AdminDeps,
  AdminObject,
  type BrokerStats,
  type CapabilityLine,
  type InstanceLine,
} from './broker/admin-object.ts';
export { type Account, Broker, type BrokerDeps } from './broker/broker.ts';
export { type BrokerOptions, defaultBrokerOptions } from './broker/broker-options.ts';
export { type GateDeps, GateObject, type Identity, type TokenVerifier } from './broker/gate-object.ts';
export { parseAcquire } from './broker/parse-acquire.ts';
export { capabilityErrors } from './errors.ts';
export type * from './hosts/capability-module.ts';
export type * from './hosts/host-contract.ts';
export { type InProcessHostDeps, openInProcessHost } from './hosts/in-process-host.ts';
export { openProcessHost, type ProcessHostOptions } from './hosts/process/process-host.ts';
export { maxMessageBytes } from './hosts/session-limits.ts';
export { openThreadHost, type ThreadHostOptions } from './hosts/thread/thread-host.ts';
export type { InstancePaths } from './pool/host-pool.ts';
export {
  type CapabilityKind,
  type CapabilityManifest,
  type CapabilityManifestInput,
  checkDigest,
  keyOf,
  parseManifest,
} from './registry/capability-manifest.ts';
export { createBatchListener } from './rpc/batch-listener.ts';
export { createHostRelay, type HostRelay, type HostRelayOptions, type RelayedProcess } from './rpc/host-relay.ts';
export { openRemoteHost, type RemoteHostOptions } from './rpc/open-remote-host.ts';
export {
  defaultServeOptions,
  type ServeDeps,
  type ServedBatch,
  type ServedSession,
  type ServeOptions,
  serveBatch,
  servePort,
  serveStream,
  serveWebSocket,
} from './rpc/serve-session.ts';
export { createWebSocketListener, type WebSocketListener } from './rpc/web-socket-listener.ts';
export { getShardId, rolloutBucket, type ShardStrategy, shardOrder } from './sharding/shard-order.ts';
export { PackageStore, type Registration } from './store/package-store.ts';
export type { SpanRecord } from './tracing/spans.ts';
export type { SavedWarmth } from './warmth/warmth.ts';
