/** Everything that crosses a process boundary: FunctionRpc, its transport, and the contracts between services. */
export {
  type AppContent,
  type Assignment,
  type AssignmentReading,
  type AssignOutcome,
  hostJsonVariable,
  parseAssignment,
  toAssignmentJson,
  tokenVariable,
} from './assignment.ts';
export type {
  ClusterApi,
  ClusterPage,
  ClusterQuery,
  ClusterRefusal,
  ClusterReply,
  ClusterResourceKind,
} from './cluster-api.ts';
export {
  type CloudEvent,
  type CloudEventDefaults,
  cloudEventMediaType,
  fromCloudEvent,
  toCloudEvent,
} from './envelope/cloud-event.ts';
export {
  type CreateEnvelopeDeps,
  createEventEnvelope,
  deriveEventId,
  type EventDraft,
  isTraceId,
  toTraceId,
} from './envelope/create-envelope.ts';
export { type EventEnvelope, envelopeLimits, type JsonFields, type JsonValue } from './envelope/event-envelope.ts';
export {
  decodeEventEnvelope,
  type EnvelopeFieldFault,
  type EnvelopeParsing,
  encodeEventEnvelope,
  findSizeFault,
  parseEventEnvelope,
  toEnvelopeJson,
} from './envelope/parse-envelope.ts';
export {
  type ContentCase,
  type Envelope,
  type EnvelopeFault,
  type EnvelopeReading,
  type MalformedEnvelope,
  readEnvelope,
  readInvocationId,
} from './envelope.ts';
export {
  digestEnvironment,
  environmentDigestProperty,
  environmentUpdateCapability,
  isDigestOf,
  readsSettingsCapability,
} from './environment-update.ts';
export { type ProtocolErrorCode, protocolErrors } from './errors.ts';
export { createFramePeer, type FramePeer, fleetJoinPath, type PeerHandlers } from './fleet/frame-peer.ts';
export * as externalScaler from './gen/external-scaler.ts';
export * from './gen/function-rpc.ts';
export { Duration } from './gen/google/protobuf/duration.ts';
export { Timestamp } from './gen/google/protobuf/timestamp.ts';
export { RpcClaim, RpcClaimsIdentity } from './gen/identity/claims-identity.ts';
export * as settlementRpc from './gen/settlement.ts';
export { NullableBool, NullableDouble, NullableString, NullableTimestamp } from './gen/shared/nullable-types.ts';
export { grpcStatus, type Link, type LinkEnd, type LinkReceiver, type LinkStatus } from './link.ts';
export type { AssignmentSource, Pod, PodEnd, PodProvider, StackAssignment } from './pod-provider.ts';
export { type RuntimeCall, relayCalls } from './runtime-call.ts';
export { type SettlementCall, settlementCalls, settlementPath } from './settlement-paths.ts';
export type { ClientTlsOptions } from './transport/client-connection.ts';
export {
  createMemoryLinkPair,
  type MemoryLinkLimits,
  type MemoryLinkOptions,
  type MemoryLinkPair,
} from './transport/memory-link.ts';
export type { Metadata } from './transport/metadata.ts';
export { type PeerIdentity, peerCertificateMetadata, readPeerCertificate } from './transport/peer-certificate.ts';
export {
  createRpcChannel,
  eventStreamPath,
  type RpcChannel,
  type RpcChannelDeps,
  type RpcChannelOptions,
  type StreamOptions,
  type UnaryOptions,
} from './transport/rpc-channel.ts';
export {
  createRpcServer,
  type RpcAddress,
  type RpcServer,
  type RpcServerDeps,
  type RpcServerOptions,
  type ServerTlsOptions,
} from './transport/rpc-server.ts';
export { createSelfSigned, type SelfSigned } from './transport/self-signed.ts';
export type { RpcMethod, StreamMethod, UnaryMethod } from './transport/server-methods.ts';
export {
  defaultKeepAlive,
  defaultTransportLimits,
  type KeepAliveOptions,
  type TransportLimits,
} from './transport/transport-limits.ts';
export type { UnaryCall, UnaryContext, UnaryOutcome, UnaryReply } from './transport/unary.ts';
export {
  contextProperty,
  httpUnansweredCapability,
  httpUriTokenCapability,
  isPlaceholderId,
  placeholderDefinition,
  readBearerToken,
  readSpecializedClaims,
  readStartStreamClaims,
  readWorkerClaims,
  toBearerMetadata,
  toContextProperties,
  type WorkerClaims,
  type WorkerContext,
} from './worker-context.ts';
export { splitCommandWords } from './worker-side/command-words.ts';
export { type ConsoleLine, classifyConsoleLine } from './worker-side/console-line.ts';
export { expandVariables } from './worker-side/expand-variables.ts';
export { emptyLog, type MessageContent, Outbox } from './worker-side/outbox.ts';
export type { WorkerApp } from './worker-side/worker-app.ts';
export {
  parseWorkerArguments,
  type WorkerArguments,
  type WorkerArgumentsOutcome,
} from './worker-side/worker-arguments.ts';
export { takeWorkerKey, workerKeyMetadata, workerKeyVariable } from './worker-side/worker-key.ts';
export {
  defaultWorkerSessionLimits,
  WorkerSession,
  type WorkerSessionDeps,
  type WorkerSessionEnd,
  type WorkerSessionLimits,
} from './worker-side/worker-session.ts';
export type { ReleaseReason, SupplyEvent, SupplyReason, SupplyRequest, WorkerSupply } from './worker-supply.ts';
export { parseUsage, toUsageJson, type WorkerUsage } from './worker-usage.ts';
