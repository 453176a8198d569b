/**
 * The settings of an app on a developer's machine: what local.settings.json says, and over it what the environment says,
 * as the official tools have it. A name in the environment wins in its own spelling.
 */
export function mergeSettings(
  local: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): ReadonlyMap<string, string> {
  const merged = new Map(local);
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) merged.set(name, value);
  return merged;
}
