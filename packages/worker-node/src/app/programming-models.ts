/**
 * The programming model of the app: the last one that was set, or the default.
 *
 * Ownership: one per worker.
 *
 * I1 The last model set is the current one, until a reload goes back to the default.
 * I2 A model set inside `capture` reaches the caller and nothing else.
 */
import type { ProgrammingModel } from '../core/core-types.ts';
import { workerErrors } from '../errors.ts';

export class ProgrammingModels {
  readonly #default: ProgrammingModel;
  #current: ProgrammingModel;
  #captured: ProgrammingModel[] | undefined;

  constructor(defaultModel: ProgrammingModel) {
    this.#default = defaultModel;
    this.#current = defaultModel;
  }

  get current(): ProgrammingModel {
    return this.#current;
  }

  /** Throws PROGRAMMING_MODEL_INVALID for something that cannot run a function. */
  set(model: unknown): void {
    const checked = parseModel(model);
    if (this.#captured) this.#captured.push(checked);
    else this.#current = checked;
  }

  reset(): void {
    this.#current = this.#default;
  }

  /** The model that `setup` sets, which stays without effect otherwise. */
  capture(setup: () => void): ProgrammingModel | undefined {
    const captured: ProgrammingModel[] = [];
    this.#captured = captured;
    try {
      setup();
    } finally {
      this.#captured = undefined;
    }
    return captured.at(-1);
  }
}

function parseModel(value: unknown): ProgrammingModel {
  const model = (typeof value === 'object' && value !== null ? value : {}) as Partial<ProgrammingModel>;
  const missing =
    typeof model.getInvocationModel !== 'function'
      ? 'getInvocationModel()'
      : typeof model.name !== 'string'
        ? 'name'
        : typeof model.version !== 'string'
          ? 'version'
          : undefined;
  if (missing) throw workerErrors.create('PROGRAMMING_MODEL_INVALID', { member: missing });
  return value as ProgrammingModel;
}
