import { isPlatformError } from '@switchyard/kernel';
import type { CommandContext } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { nearest } from '../suggestion.ts';
import { coreToolsVersion } from './core-tools-version.ts';
import { funcHelp, funcVerbHelp } from './func-help.ts';
import type { FuncVerb } from './func-verb.ts';
import { parseFuncArguments } from './parse-func-arguments.ts';
import { type AnsweredVerb, answeredVerbs, funcVerbs } from './verbs.ts';

/** First words that need a second one. */
const contexts: ReadonlySet<string> = new Set(['host', 'function', 'settings']);

const helpWords: ReadonlySet<string> = new Set(['help', 'h', '?']);
const versionWords: ReadonlySet<string> = new Set(['version', 'v']);

/** What the first words mean. */
type Meaning =
  | { readonly kind: 'verb'; readonly verb: FuncVerb; readonly rest: readonly string[] }
  | { readonly kind: 'answered'; readonly verb: AnsweredVerb }
  | { readonly kind: 'help' }
  | { readonly kind: 'unknown'; readonly name: string };

/**
 * Runs one command line of the official tools. Returns the exit code; never rejects for what the user can mend. Anything
 * else is a defect of ours and goes up to the process.
 */
export async function runFunc(words: readonly string[], context: CommandContext): Promise<number> {
  const [first = '', ...rest] = words;
  const bare = first.replaceAll('-', '').toLowerCase();
  if (words.length === 1 && versionWords.has(bare)) return tell(context, `${coreToolsVersion}\n`);
  if (words.length === 0 || (rest.length === 0 && helpWords.has(bare))) return tell(context, funcHelp());
  if (first.toLowerCase() === 'help') return runFunc([...rest, '--help'], context);
  const meaning = understand(words);
  switch (meaning.kind) {
    case 'verb':
      return runVerb(meaning.verb, meaning.rest, context);
    case 'help':
      return tell(context, funcHelp());
    case 'answered':
      if (meaning.verb.isDone) return tell(context, `${meaning.verb.answer}\n`);
      return complain(context, meaning.verb.answer, exitCodes.failed.code);
    case 'unknown':
      return complain(context, unknownVerb(meaning.name), exitCodes.usage.code);
  }
}

function understand(words: readonly string[]): Meaning {
  const [first = '', second = ''] = words.map((word) => word.toLowerCase());
  const isContext = contexts.has(first);
  if (isContext && (second === '' || second.startsWith('-'))) return { kind: 'help' };
  const name = isContext ? `${first} ${second}` : first;
  const verb = funcVerbs.find(({ names }) => names.includes(name));
  if (verb !== undefined) return { kind: 'verb', verb, rest: words.slice(isContext ? 2 : 1) };
  const answered = answeredVerbs.find((candidate) => candidate.name === first);
  return answered === undefined ? { kind: 'unknown', name } : { kind: 'answered', verb: answered };
}

async function runVerb(verb: FuncVerb, words: readonly string[], context: CommandContext): Promise<number> {
  const [name = ''] = verb.names;
  const parsed = parseFuncArguments(name, verb.flags, words);
  if (parsed.kind === 'wrong') return complain(context, parsed.message, exitCodes.usage.code);
  if (parsed.kind === 'help') return tell(context, funcVerbHelp(verb));
  const surplus = parsed.positionals.slice(verb.positionals?.length ?? 0).map((word) => `'${word}'`);
  const ignored = [...parsed.ignored, ...surplus];
  if (ignored.length > 0) context.stderr.write(`Without effect on Switchyard, and ignored: ${ignored.join(', ')}.\n`);
  try {
    return await verb.run(parsed, context);
  } catch (error) {
    if (!isPlatformError(error)) throw error;
    return complain(context, error.message, error.definition.exit);
  }
}

function unknownVerb(name: string): string {
  const known = [...funcVerbs.flatMap(({ names }) => names), ...answeredVerbs.map((verb) => verb.name), 'help'];
  const meant = nearest(name, known);
  const hint = meant === undefined ? '' : ` Did you mean 'func ${meant}'?`;
  return `There is no verb '${name}'.${hint} 'func help' lists all.`;
}

function tell(context: CommandContext, text: string): number {
  context.stdout.write(text);
  return exitCodes.done.code;
}

function complain(context: CommandContext, message: string, exitCode: number): number {
  context.stderr.write(`${message}\n`);
  return exitCode;
}
