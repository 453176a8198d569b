/** The extension of this package's own files: it runs from its sources in tests, and compiled everywhere else. */
export const sourceExtension: '.ts' | '.js' = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
