import type { FunctionAggregate, Log } from '@switchyard/kernel';

const message =
  "Runs of 'Functions.{functionName}': {count}, {successes} succeeded, {failures} failed ({successRate} %), {averageDurationMs} ms on average, from {minimumDurationMs} to {maximumDurationMs} ms";

/** Writes what a function's runs were, added up, in the category that the official host has for it. */
export function reportAggregate(log: Log, { sinceMs: _since, ...aggregate }: FunctionAggregate): void {
  log.write('information', message, { category: 'Host.Aggregator', ...aggregate });
}
