/** The extension of this package's own files: it runs from its sources in tests, and compiled everywhere else. */
export const sourceExtension: '.ts' | '.js' = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** Flags of Node.js for threads of this package: from sources, the other packages are used from theirs too. */
export const threadFlags: readonly string[] = sourceExtension === '.ts' ? ['--conditions=switchyard-source'] : [];
