import { resolve } from 'node:path';
import { findTemplate } from '../commands/create-function.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { addFunction } from '../scaffold/add-function.ts';
import { authLevels, choose } from '../scaffold/choices.ts';
import { describeFunction } from '../scaffold/describe.ts';
import { functionTemplates } from '../scaffold/function-templates.ts';
import { commonFlags, type FuncVerb, languageFlags, textOf } from './func-verb.ts';
import { funcWording } from './init.ts';

/** Adds a function from a template, which is named as in the official tools or by its trigger. */
export const createFunctionVerb: FuncVerb = {
  names: ['new', 'function new', 'function create'],
  summary: 'Adds a function to the app of this folder, in its language.',
  flags: {
    template: { short: 't', takes: 'value', placeholder: '"HTTP trigger"', summary: 'the template, or its trigger' },
    name: { short: 'n', takes: 'value', placeholder: 'NAME', summary: "the function's name" },
    authlevel: { short: 'a', takes: 'value', placeholder: 'LEVEL', summary: 'anonymous, function or admin' },
    ...commonFlags,
    ...languageFlags(),
    language: { short: 'l', takes: 'value', ignored: true, summary: "the app's own language is taken" },
    'worker-runtime': { takes: 'value', ignored: true, summary: "the app's own language is taken" },
    file: { short: 'f', takes: 'value', ignored: true, summary: 'concerns Python' },
    csx: { takes: 'nothing', ignored: true, summary: 'concerns C#' },
    force: { takes: 'nothing', ignored: true, summary: 'nothing is ever overwritten' },
  },
  async run(input, { stdout, workingDirectory }) {
    const text = textOf(input, 'template');
    if (text === undefined) {
      const choices = functionTemplates.map(({ trigger }) => trigger).join(', ');
      throw cliErrors.create('TEMPLATE_MISSING', { choices });
    }
    const template = findTemplate(text);
    const root = textOf(input, 'script-root') ?? textOf(input, 'prefix') ?? '.';
    const result = await addFunction({
      directory: resolve(workingDirectory, root),
      template,
      name: textOf(input, 'name'),
      authLevel: choose('auth level', textOf(input, 'authlevel') ?? 'anonymous', authLevels),
    });
    stdout.write(describeFunction(result, funcWording));
    stdout.write(`The function "${result.name}" was created successfully from the "${text}" template.\n`);
    return exitCodes.done.code;
  },
};
