/** For tests and benchmarks: a host that a test scripts, and apps that a test makes up. */
export { type AppFolder, createAppFolder } from './app-folder.ts';
export { ScriptedHost } from './scripted-host.ts';
export { openScriptedHostServer, type ScriptedHostServer } from './scripted-host-server.ts';
