/** Takes something back, once. Part of the `@azure/functions-core` surface. */
export class Disposable {
  #undo: (() => unknown) | undefined;

  constructor(undo: () => unknown) {
    this.#undo = undo;
  }

  /** One disposable for many; anything with a `dispose` method will do. */
  static from(...parts: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const part of parts) part?.dispose?.();
    });
  }

  /** Runs what it was made with, the first time only. */
  dispose(): unknown {
    const undo = this.#undo;
    this.#undo = undefined;
    return undo?.();
  }
}
