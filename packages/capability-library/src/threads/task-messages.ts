/** What a task thread is asked and answers. */
export interface TaskRequest {
  readonly task: string;
  readonly parameters: readonly unknown[];
}

export type TaskAnswer =
  | { readonly kind: 'done'; readonly result: unknown }
  /** The task refused its parameters. */
  | { readonly kind: 'refused'; readonly what: string; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };
