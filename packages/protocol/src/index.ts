/** Everything that crosses a process boundary: FunctionRpc, its transport, and the contracts between services. */
export * from './gen/function-rpc.ts';
export { Duration } from './gen/google/protobuf/duration.ts';
export { Timestamp } from './gen/google/protobuf/timestamp.ts';
export { RpcClaim, RpcClaimsIdentity } from './gen/identity/claims-identity.ts';
export { NullableBool, NullableDouble, NullableString, NullableTimestamp } from './gen/shared/nullable-types.ts';
export { grpcStatus, type Link, type LinkEnd, type LinkReceiver, type LinkStatus } from './link.ts';
export type { ReleaseReason, SupplyEvent, SupplyReason, SupplyRequest, WorkerSupply } from './worker-supply.ts';
