const reference = /%([^%\s=]+)%/g;

/**
 * Replaces every `%NAME%` by the variable's value, as the official host does in the paths and arguments of workers: a
 * name that is not set becomes nothing. A lone percent sign stays.
 */
export function expandVariables(text: string, read: (name: string) => string | undefined): string {
  return text.replace(reference, (_whole, name: string) => read(name) ?? '');
}
