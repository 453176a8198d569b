/** The client of the capability broker, and the contract that clients, broker and hosts share. */
export { AcquiredCapabilities, type AcquiredHandle } from './acquired.ts';
export type * from './builtin-types.ts';
export {
  CapabilityError,
  type CapabilityErrorCode,
  capabilityErrorCodes,
  isCapabilityError,
} from './capability-error.ts';
export type * from './contract.ts';
export { type Capabilities, type CapabilitiesOptions, createCapabilities } from './create-capabilities.ts';
export { ambientTraceKey, capabilities, env, environmentNames } from './environment.ts';
export { BatchTransport } from './rpc/batch-transport.ts';
export { connect, type Endpoint } from './rpc/connect.ts';
export { LineTransport } from './rpc/line-transport.ts';
export { PortTransport } from './rpc/port-transport.ts';
export { openSession, RpcStub, RpcTarget, type Session, type SessionOptions } from './rpc/session.ts';
export { WebSocketTransport } from './rpc/web-socket-transport.ts';
