/** Something in the sources that breaks a rule. */
export interface Finding {
  /** The file, relative to the repository, with forward slashes. */
  readonly path: string;
  /** The line, from 1. */
  readonly line: number;
  /** What is wrong, with the offending name. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** One line per finding, in the form that editors make clickable. */
export function toText(finding: Finding): string {
  return `${finding.path}:${finding.line} ${finding.message} Fix: ${finding.fix}`;
}
