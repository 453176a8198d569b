/** The capability broker in a process of an installation, and the way of commands to it. */
export { type BrokerAccess, brokerFileName, readBrokerFile } from './broker-file.ts';
export { type CapabilityTokens, capabilityScopes } from './capability-tokens.ts';
export { type CapabilityAdministrator, connectAdministrator } from './connect-administrator.ts';
export { capabilityProcessErrors } from './errors.ts';
export { type LibraryCapabilities, libraryCapabilities, type OfferedCapability } from './library-capabilities.ts';
export type { HostProgram } from './open-capability-host.ts';
export { type ServeBrokerOptions, serveBroker } from './serve-broker.ts';
export { type HostRelayServer, type ServeHostRelayOptions, serveHostRelay } from './serve-host-relay.ts';
export {
  type RunningBroker,
  type StartBrokerDeps,
  type StartBrokerOptions,
  startBroker,
} from './start-broker.ts';
