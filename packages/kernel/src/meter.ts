/** Labels of one measurement; every label takes few values. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Where measurements go. Names are lower case words joined by underscores and end with their unit. */
export interface Meter {
  /** Adds to a counter. */
  count(name: string, by?: number, labels?: MetricLabels): void;
  /** Sets a level. */
  gauge(name: string, value: number, labels?: MetricLabels): void;
  /** Adds one observation to a distribution. */
  observe(name: string, value: number, labels?: MetricLabels): void;
}

/** Drops every measurement. */
export const silentMeter: Meter = { count: () => {}, gauge: () => {}, observe: () => {} };
