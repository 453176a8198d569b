/** What scaffolding tells the user, in the words of the program that was called. */
import { relative } from 'node:path';
import type { AddFunctionResult } from './add-function.ts';
import type { Language } from './choices.ts';
import type { FunctionTemplate } from './function-templates.ts';
import type { InitResult } from './init-app.ts';

export interface Wording {
  /** How a function is added, before its trigger's name. */
  readonly add: string;
  /** How the app is started. */
  readonly start: string;
}

export interface InitStory extends InitResult {
  readonly directory: string;
  readonly workingDirectory: string;
  readonly language: Language;
  /** v3 apps in JavaScript need no packages. */
  readonly needsPackages: boolean;
}

/** What was made, and the commands that lead from there to a running app. */
export function describeInit(story: InitStory, wording: Wording): string {
  const { name, written, kept, directory, workingDirectory, language, needsPackages } = story;
  const path = relative(workingDirectory, directory);
  const title = language === 'typescript' ? 'TypeScript' : 'JavaScript';
  const steps = [
    ...(path === '' ? [] : [`cd ${path}`]),
    ...(needsPackages ? ['npm install'] : []),
    `${wording.add} http`,
    ...(language === 'typescript' ? ['npm run build'] : []),
    wording.start,
  ];
  const head = written.length === 0 ? [] : [`Made the ${title} app '${name}':`, ...indent(written)];
  const rest = kept.length === 0 ? [] : ['There already, and left as they are:', ...indent(kept)];
  return toText([...head, ...rest, '', 'Next:', ...indent(steps)]);
}

/** What was written, and what the user should know. */
export function describeFunction({ name, written, notes, app }: AddFunctionResult, wording: Wording): string {
  const build = app.language === 'typescript' ? "'npm run build', then " : '';
  return toText([`Made the function '${name}':`, ...indent(written), ...notes, `Run it: ${build}'${wording.start}'.`]);
}

/** The triggers that there are templates for. */
export function describeTemplates(templates: readonly FunctionTemplate[]): string {
  const width = Math.max(...templates.map(({ trigger }) => trigger.length));
  return toText(['Triggers:', ...templates.map(({ trigger, summary }) => `  ${trigger.padEnd(width)}  ${summary}`)]);
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function toText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}
