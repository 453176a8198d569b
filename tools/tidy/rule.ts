import type { Finding } from './finding.ts';
import type { Repository } from './repository.ts';

/** Files of a small made-up repository, by path. */
export type SampleFiles = Readonly<Record<string, string>>;

/** A made-up repository in which a rule finds exactly one thing. */
export interface BadSample {
  readonly files: SampleFiles;
  /** Where the finding stands, as `path:line`. */
  readonly at: string;
}

/** A rule of the house. Its samples are its tests: the bad ones are found, the good ones pass. */
export interface Rule {
  /** Kebab-case, as the file. */
  readonly name: string;
  /** What the rule asks for, in one sentence. */
  readonly promise: string;
  check(repository: Repository): Finding[];
  readonly good: readonly SampleFiles[];
  readonly bad: readonly BadSample[];
}
