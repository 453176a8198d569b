/** One line of a benchmark's table. */
export interface BenchRow {
  readonly name: string;
  readonly ours: number;
  /** The same measured on the reference, in the same run. */
  readonly reference: number;
  /** What the reference is, in a few words; `grpc-js` when left out. */
  readonly against?: string;
  /** `ours / reference`. */
  readonly ratio: number;
  readonly unit: string;
  /** What the ratio should be, in words. */
  readonly target: string;
}
