import type { FunctionStatus, JobHostStatus } from '@switchyard/runtime';

/** The addresses under which an app can be called, without a slash at the end. */
export type BaseUrl = string;

/**
 * The functions of an app in the words of the official tools: a name with methods and URL, or with the type of its
 * trigger; then what could not be started, and why.
 */
export function functionList(status: JobHostStatus, baseUrl: BaseUrl, title: string): string {
  const lines = [`${title}:`, ''];
  if (status.functions.length === 0) lines.push('\tnone');
  for (const entry of status.functions) lines.push(`\t${functionLine(entry, baseUrl)}`, '');
  if (status.rejected.length > 0) lines.push('Not running:', '');
  for (const { name, reason } of status.rejected) lines.push(`\t${name}: ${reason}`, '');
  return `\n${lines.join('\n')}\n`;
}

/**
 * The same list exactly as the official tools print it: HTTP functions first, then the others, then a sentence for each
 * that is switched off; nothing when there is none. What is in error stands in the log.
 */
export function coreToolsFunctionList({ functions }: JobHostStatus, baseUrl: BaseUrl): string {
  const enabled = functions.filter(({ disabled }) => !disabled);
  const ordered = [
    ...enabled.filter(({ route }) => route !== undefined),
    ...enabled.filter(({ route }) => route === undefined),
  ];
  const head = ordered.length === 0 ? [] : ['', 'Functions:', ''];
  const lines = ordered.flatMap((entry) => [`\t${functionLine(entry, baseUrl)}`, '']);
  const disabled = functions.filter((entry) => entry.disabled).map(({ name }) => `Function ${name} is disabled.`);
  return [...head, ...lines, ...disabled].map((line) => `${line}\n`).join('');
}

function functionLine(entry: FunctionStatus, baseUrl: BaseUrl): string {
  const disabled = entry.disabled ? ' (disabled)' : '';
  if (entry.route === undefined) return `${entry.name}: ${entry.trigger}${disabled}`;
  return `${entry.name}: ${methodList(entry.route.methods)}${urlOf(entry.route, baseUrl)}${disabled}`;
}

/** `[GET,POST] `, or nothing when every method is welcome. */
function methodList(methods: readonly string[]): string {
  return methods.length === 0 ? '' : `[${methods.map((method) => method.toUpperCase()).join(',')}] `;
}

function urlOf(route: NonNullable<FunctionStatus['route']>, baseUrl: BaseUrl): string {
  return `${baseUrl}/${route.template.replace(/^\/+/, '')}`;
}

/** A command line for each function that can be tried without a key, a body, or a name that only its user knows. */
export function curlLines(status: JobHostStatus, baseUrl: BaseUrl): readonly string[] {
  return status.functions.flatMap(({ route, disabled }) => {
    if (route === undefined || disabled || route.authLevel !== 'anonymous') return [];
    if (route.methods.length > 0 && !route.methods.some((method) => method.toUpperCase() === 'GET')) return [];
    const template = exampleOf(route.template);
    return template === undefined ? [] : [`curl ${urlOf({ ...route, template }, baseUrl)}`];
  });
}

/** Values that pass the usual constraints. */
const examples: Readonly<Record<string, string>> = {
  int: '42',
  long: '42',
  min: '42',
  max: '1',
  range: '1',
  decimal: '4.2',
  double: '4.2',
  float: '4.2',
  bool: 'true',
  datetime: '2026-01-31',
  guid: '00000000-0000-4000-8000-000000000000',
};

/**
 * A path that the template matches: optional parameters and catch-alls left out, the others filled. Undefined where a
 * parameter may be anything: what it names is likely not there.
 */
function exampleOf(template: string): string | undefined {
  let isKnown = true;
  const path = template
    .replace(/\/?\{\*?\w+(?::[^{}]*)?\?\}/g, '')
    .replace(/\/?\{\*+\w+[^{}]*\}/g, '')
    .replace(/\{\w+(?::(\w+)[^{}]*?)?(?:=([^{}]*))?\}/g, (_all, constraint?: string, fallback?: string) => {
      const known = constraint !== undefined && Object.hasOwn(examples, constraint) ? examples[constraint] : fallback;
      isKnown &&= known !== undefined;
      return known ?? '';
    });
  return isKnown ? path : undefined;
}
