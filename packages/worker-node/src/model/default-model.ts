/**
 * The model of apps that set none: v3, where functions stand in function.json files. Its library is loaded when the
 * first such function runs, because most apps never need it.
 *
 * Ownership: one per worker.
 *
 * I1 The library is loaded at most once, and sets nothing but this model's inside.
 */
import type { ProgrammingModels } from '../app/programming-models.ts';
import type { CoreInvocationContext, InvocationModel, ProgrammingModel } from '../core/core-types.ts';

/** The version of the library that is built in; equal to that of the dependency. */
export const defaultModelVersion = '3.6.0';

/** Loads the library, which sets its model through the core module that it requires. */
export type LoadLibrary = () => Promise<{ setup(): void }>;

export class DefaultModel implements ProgrammingModel {
  readonly name = '@azure/functions';
  readonly version = defaultModelVersion;
  readonly #load: LoadLibrary;
  #inner: Promise<ProgrammingModel> | undefined;
  #models: ProgrammingModels | undefined;

  constructor(load: LoadLibrary) {
    this.#load = load;
  }

  /** Names where the library's `setup` will set its model. */
  bind(models: ProgrammingModels): void {
    this.#models = models;
  }

  async getInvocationModel(context: CoreInvocationContext): Promise<InvocationModel> {
    this.#inner ??= this.#open();
    return await (await this.#inner).getInvocationModel(context);
  }

  /** Loads the library ahead of time. */
  async warm(): Promise<void> {
    this.#inner ??= this.#open();
    await this.#inner;
  }

  async #open(): Promise<ProgrammingModel> {
    const library = await this.#load();
    const model = this.#models?.capture(() => library.setup());
    if (!model) throw new Error('The built-in v3 library has set no programming model.');
    return model;
  }
}
