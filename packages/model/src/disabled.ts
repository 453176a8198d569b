import type { SettingsView } from './settings.ts';

/**
 * True when the settings switch the function off: `AzureWebJobs.<name>.Disabled` or `AzureWebJobs_<name>_Disabled`, which
 * Linux can carry in its environment, is 1 or true. A `disabled` key in function.json has no say (official host).
 */
export function isFunctionDisabled(settings: Pick<SettingsView, 'get'>, functionName: string): boolean {
  return [`AzureWebJobs.${functionName}.Disabled`, `AzureWebJobs_${functionName}_Disabled`].some((name) =>
    /^\s*(1|true)\s*$/i.test(settings.get(name) ?? ''),
  );
}
