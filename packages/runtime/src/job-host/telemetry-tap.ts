/**
 * Where the telemetry of a JobHost goes: the sink that the newest version of the app names, or nowhere.
 *
 * Ownership: the JobHost; it owns the sinks that it opens.
 *
 * I1 Every line of the JobHost's log goes on to the log that it would go to anyway, and to the sink as well.
 * I2 What functions did is added up, and told to the log and to the sink; `close` tells what is left.
 * I3 A version that joins brings a sink of its own; the one before sends what it has, and ends.
 */
import type {
  AppTelemetry,
  Clock,
  FunctionRun,
  Log,
  LogFields,
  RunningFunction,
  SpanSink,
  TelemetryMetric,
} from '@switchyard/kernel';
import type { AggregatorSettings } from '@switchyard/model';
import type { OpenAppTelemetry } from '../contract.ts';
import { reportAggregate } from '../invocation/report-aggregate.ts';
import { ResultAggregator } from '../invocation/result-aggregator.ts';
import type { ResolvedApplication } from './resolve-application.ts';

/** What hears of an app's invocations. */
export interface TelemetryParts {
  /** For the telemetry of the platform, whatever app it is of. */
  readonly spans?: SpanSink | undefined;
  /** Opens what an app names for its own telemetry; without it there is no sink. */
  readonly openAppTelemetry?: OpenAppTelemetry | undefined;
}

export interface TelemetryTapDeps extends Pick<TelemetryParts, 'openAppTelemetry'> {
  readonly clock: Pick<Clock, 'now' | 'schedule'>;
  /** Carries the app's fields. */
  readonly log: Log;
}

export class TelemetryTap implements Omit<AppTelemetry, 'line' | 'aggregated'> {
  readonly #deps: TelemetryTapDeps;
  /** Adds up how invocations ended. */
  readonly results: ResultAggregator;
  #sink: AppTelemetry | undefined;

  constructor(deps: TelemetryTapDeps, aggregator: AggregatorSettings) {
    this.#deps = deps;
    this.results = new ResultAggregator(deps.clock, aggregator, (aggregate) => {
      reportAggregate(deps.log, aggregate);
      this.#sink?.aggregated(aggregate);
    });
  }

  /** For lines that the sink gets from somebody else. */
  get bareLog(): Log {
    return this.#deps.log;
  }

  /** True while somebody wants to know of runs. */
  get isOpen(): boolean {
    return this.#sink !== undefined;
  }

  /** The JobHost's log, with the sink beside it; the same log where nothing could ever open a sink. */
  get log(): Log {
    const { openAppTelemetry: open, log } = this.#deps;
    return open === undefined ? log : this.#beside(log, {});
  }

  /** Takes the sink that this version of the app names. */
  follow({ definition, settingsView: settings, host, hostId }: ResolvedApplication): void {
    const before = this.#sink;
    const { openAppTelemetry: open, log } = this.#deps;
    this.#sink = open?.({ applicationId: definition.applicationId, settings, host, hostId, log });
    void before?.close();
  }

  began(run: RunningFunction): void {
    this.#sink?.began(run);
  }

  ended(run: FunctionRun): void {
    this.#sink?.ended(run);
  }

  measured(metric: TelemetryMetric): void {
    this.#sink?.measured(metric);
  }

  async close(): Promise<void> {
    this.results.flush();
    await this.#sink?.close();
  }

  #beside(log: Log, bound: LogFields): Log {
    return {
      write: (level, message, fields) => {
        log.write(level, message, fields);
        const sink = this.#sink;
        if (sink === undefined) return;
        const all = fields === undefined ? bound : { ...bound, ...fields };
        sink.line({ timeMs: this.#deps.clock.now(), level, message, fields: all });
      },
      child: (fields) => this.#beside(log.child(fields), { ...bound, ...fields }),
    };
  }
}
