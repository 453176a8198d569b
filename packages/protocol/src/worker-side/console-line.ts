import type { LogLevel } from '@switchyard/kernel';

/** A line of a worker's console, as it goes to the log. */
export interface ConsoleLine {
  /** `system` lines are the worker's own; `tooling` ones are for editors; the rest is the app's output. */
  readonly origin: 'system' | 'tooling' | 'application';
  readonly level: LogLevel;
  readonly text: string;
}

/** Workers mark their own lines with it; what follows is the line. */
const systemPrefix = 'LanguageWorkerConsoleLog';
const toolingPrefix = 'azfuncjsonlog:';

const errorWords = /error|fail|severe|unhandled exception/i;

/**
 * Tells whose line it is and how grave, by the official host's rules (WorkerProcess).
 * `stderrIsError` is the worker's trait: its stderr carries nothing but errors.
 */
export function classifyConsoleLine(stream: 'stdout' | 'stderr', line: string, stderrIsError = false): ConsoleLine {
  const levelOnStderr = stderrIsError ? 'error' : levelOfError(line);
  const level = stream === 'stdout' ? 'information' : levelOnStderr;
  if (line.startsWith(toolingPrefix)) return { origin: 'tooling', level, text: line };
  if (!line.startsWith(systemPrefix)) return { origin: 'application', level, text: line };
  return { origin: 'system', level, text: line.slice(systemPrefix.length).trimStart() };
}

function levelOfError(line: string): LogLevel {
  if (/warn/i.test(line)) return 'warning';
  return errorWords.test(line) ? 'error' : 'information';
}
