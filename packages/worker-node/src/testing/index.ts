/** For tests and benchmarks: a host that a test scripts. */
export { ScriptedHost } from './scripted-host.ts';
export { openScriptedHostServer, type ScriptedHostServer } from './scripted-host-server.ts';
