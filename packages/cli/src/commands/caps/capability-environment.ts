/** What processes of capabilities need of the machine. None of it is a secret. */
const passedNames = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'SystemRoot', 'SWITCHYARD_CSHARP_HOST'];

/** All that they see of the environment. */
export function capabilityEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const entries = passedNames.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}
