import type { SettingsView } from '@switchyard/model';
import type { RuntimeLimits } from '@switchyard/runtime';

/** Whoever debugs is back within a day. */
const patienceMs = 86_400_000;
const heartbeatMs = 15_000;

/**
 * How long the Runtime waits for workers that a debugger may hold: at a breakpoint nothing is answered, whether the worker is
 * about to start (`--inspect-brk`), loads its app, or has nothing in flight. Empty when no debugger is asked for, by the
 * flag or by an app's settings.
 */
export function debuggingLimits(
  inspectPort: number | undefined,
  applications: readonly { readonly settings: Pick<SettingsView, 'get'> }[],
): Partial<RuntimeLimits> {
  const isDebugged = inspectPort !== undefined || applications.some(({ settings }) => asksForDebugger(settings));
  if (!isDebugged) return {};
  return {
    connectMs: patienceMs,
    startStreamMs: patienceMs,
    metadataMs: patienceMs,
    loadMs: patienceMs,
    heartbeatMs,
    heartbeatMisses: patienceMs / heartbeatMs,
  };
}

function asksForDebugger(settings: Pick<SettingsView, 'get'>): boolean {
  const given = [settings.get('languageWorkers:node:arguments'), settings.get('NODE_OPTIONS')];
  return given.some((text) => text?.includes('--inspect') === true);
}
