import { defineCommand } from '../command.ts';
import { cliErrors } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { addFunction } from '../scaffold/add-function.ts';
import { authLevels, choose } from '../scaffold/choices.ts';
import { describeFunction, describeTemplates } from '../scaffold/describe.ts';
import { type FunctionTemplate, functionTemplates } from '../scaffold/function-templates.ts';
import { nearest } from '../suggestion.ts';
import { switchyardWording } from './init.ts';

export const createFunctionCommand = defineCommand({
  name: 'new',
  summary: 'Adds a function to the app in this folder, in its language. Never overwrites a file.',
  positional: {
    name: 'trigger',
    summary: `what starts the function: ${functionTemplates.map(({ trigger }) => trigger).join(', ')}`,
    maximum: 1,
  },
  flags: {
    name: { kind: 'text', placeholder: 'NAME', short: 'n', summary: "the function's name" },
    'auth-level': {
      kind: 'text',
      placeholder: 'LEVEL',
      short: 'a',
      summary: 'which key HTTP callers need: anonymous, function or admin (anonymous)',
    },
  },
  examples: ['switchyard new http --name greet', 'switchyard new queue'],
  async run({ positionals: [trigger], flags }, { stdout, stderr, workingDirectory }) {
    if (trigger === undefined) {
      stderr.write(`Name the trigger: 'switchyard new http'.\n${describeTemplates(functionTemplates)}`);
      return exitCodes.usage.code;
    }
    const authLevel = choose('auth level', flags['auth-level'] ?? 'anonymous', authLevels);
    const template = findTemplate(trigger);
    const result = await addFunction({ directory: workingDirectory, template, name: flags.name, authLevel });
    stdout.write(describeFunction(result, switchyardWording));
    return exitCodes.done.code;
  },
});

/** The template that a text means: a trigger's name, or what the official tools call it. Throws CHOICE_UNKNOWN. */
export function findTemplate(text: string): FunctionTemplate {
  const wanted = text.toLowerCase().replaceAll(/[\s-]+/g, '');
  const found = functionTemplates.find(
    ({ trigger, officialNames }) => trigger === wanted || officialNames.includes(wanted),
  );
  if (found !== undefined) return found;
  const names = functionTemplates.map(({ trigger }) => trigger);
  const meant = nearest(wanted.replace(/trigger$/, ''), names);
  const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`;
  const details = { what: 'trigger', value: text.slice(0, 80), hint, choices: names.join(', ') };
  throw cliErrors.create('CHOICE_UNKNOWN', details);
}
