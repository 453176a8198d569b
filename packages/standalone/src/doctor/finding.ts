/** How much something matters: an error keeps the app, or a part of it, from working. */
export type Severity = 'error' | 'warning' | 'note';

/** One thing that an app relies on and that is different here. */
export interface Finding {
  readonly severity: Severity;
  /** A word for scripts, in lower case with dashes; never used for something else later. */
  readonly code: string;
  /** The file, function or setting that it is about. */
  readonly subject: string;
  /** What is the matter, as a sentence. */
  readonly problem: string;
  /** What to do instead, as a sentence. */
  readonly fix: string;
}
