/** What the official host and the official tools know of a language beyond its worker.config.json. */
export interface LanguageDefaults {
  /** Variables that the process gets when nobody set them. */
  readonly environment: Readonly<Record<string, string>>;
  /** The program that interprets the language, under the name that configuration files use; empty for none. */
  readonly interpreter: string;
  /** Versions of it that the official worker is known to run on, for files that name none. The best comes first. */
  readonly knownVersions: readonly string[];
  /** WorkerTerminate and the end of the stream do not end the process. */
  readonly ignoresTermination: boolean;
  readonly canUsePlaceholder: boolean;
}

const unknownLanguage: LanguageDefaults = {
  environment: {},
  interpreter: '',
  knownVersions: [],
  ignoresTermination: false,
  canUsePlaceholder: false,
};

const languages: ReadonlyMap<string, Partial<LanguageDefaults>> = new Map([
  ['node', { interpreter: 'node', knownVersions: ['22', '20', '18', '16', '14'], canUsePlaceholder: true }],
  [
    'python',
    {
      environment: { PYTHON_THREADPOOL_THREAD_COUNT: '1000' },
      interpreter: 'python',
      ignoresTermination: true,
      canUsePlaceholder: true,
    },
  ],
  ['java', { interpreter: 'java' }],
  // Custom handlers: the worker between host and handler is ours, and runs on Node.
  ['custom', { interpreter: 'node', canUsePlaceholder: true }],
  [
    'powershell',
    {
      environment: { PSWorkerInProcConcurrencyUpperBound: '1000' },
      ignoresTermination: true,
      canUsePlaceholder: true,
    },
  ],
]);

/** The defaults of a language, in lower case; one that nobody has heard of is an ordinary one. */
export function languageDefaults(language: string): LanguageDefaults {
  return { ...unknownLanguage, ...languages.get(language) };
}
