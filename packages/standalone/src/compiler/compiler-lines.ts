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
  let left = 0;
  return (line) => {
    const placed = placedError.exec(line);
    const isError = placed !== null || bareError.test(line);
    if (isError && errors.length >= maxErrors) left += 1;
    else if (placed !== null) errors.push(`${placed[1]}:${placed[2]}:${placed[3]} - ${placed[4]}`);
    else if (isError) errors.push(line);
    else if (/^\s+\S/.test(line) && errors.length > 0 && left === 0) errors.push(line.trimEnd());
    if (!endOfPass.test(line)) return undefined;
    const pass = { errors: left > 0 ? [...errors, `... and ${left} more`] : errors };
    errors = [];
    left = 0;
    return pass;
  };
}
