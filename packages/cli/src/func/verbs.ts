import { createFunctionVerb } from './create-function.ts';
import type { FuncVerb } from './func-verb.ts';
import { initVerb } from './init.ts';
import { settingsVerbs } from './settings.ts';
import { startVerb } from './start.ts';

/** Every verb that `func` carries out. */
export const funcVerbs: readonly FuncVerb[] = [startVerb, initVerb, createFunctionVerb, ...settingsVerbs];

/** A verb of the official tools that is answered with a sentence. */
export interface AnsweredVerb {
  readonly name: string;
  readonly answer: string;
  /** True when there is nothing to do, so that scripts go on. */
  readonly isDone: boolean;
}

const notSupported = (name: string, instead: string): AnsweredVerb => ({
  name,
  answer: `Switchyard's func does not support 'func ${name}'. ${instead}`,
  isDone: false,
});

const useOfficial = 'Use the official Azure Functions Core Tools for it.';

/** The other verbs of the official tools. */
export const answeredVerbs: readonly AnsweredVerb[] = [
  {
    name: 'extensions',
    answer: 'There is nothing to install: the triggers and bindings of Switchyard are built in.',
    isDone: true,
  },
  notSupported('azure', useOfficial),
  notSupported('templates', "'func new' lists what there is."),
  notSupported('bundles', 'It needs no extension bundle.'),
  notSupported('pack', useOfficial),
  notSupported('deploy', useOfficial),
  notSupported('kubernetes', useOfficial),
  notSupported('durable', useOfficial),
  notSupported('logs', useOfficial),
];
