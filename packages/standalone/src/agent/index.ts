/** `switchyard agent`: container jobs over HTTP, on this machine. */
export type { AgentOptions } from './agent-options.ts';
export { describeConfiguration } from './read-configuration.ts';
export { type Agent, startAgent } from './start-agent.ts';
