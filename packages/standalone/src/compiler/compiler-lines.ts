/**
 * Reads what `tsc --watch --pretty false` prints, pass after pass. Times and words of the status lines differ between
 * versions; `Found N error` and the form of an error do not.
 */

/** One pass of the compiler. */
export interface CompilerPass {
  /** `file:line:column - error TS1005: ';' expected.`, with the lines that explain it. */
  readonly errors: readonly string[];
}

/** More errors than a screen shows. */
const maxErrors = 20;

const placedError = /^(.+?)\((\d+),(\d+)\): (error TS\d+: .*)$/;
const bareError = /^error TS\d+: /;
const endOfPass = /Found (\d+) errors?\./;

/** Makes a reader; it returns a pass with the line that ends it. */
export function createCompilerReader(): (line: string) => CompilerPass | undefined {
  let errors: string[] = [];
  let count = 0;
  return (line) => {
    const placed = placedError.exec(line);
    if (placed !== null || bareError.test(line)) {
      count += 1;
      const text = placed === null ? line : `${placed[1]}:${placed[2]}:${placed[3]} - ${placed[4]}`;
      if (count <= maxErrors) errors.push(text);
    } else if (/^\s+\S/.test(line) && count > 0 && count <= maxErrors) errors.push(line.trimEnd());
    if (!endOfPass.test(line)) return undefined;
    const pass = { errors: count > maxErrors ? [...errors, `... and ${count - maxErrors} more`] : errors };
    errors = [];
    count = 0;
    return pass;
  };
}
