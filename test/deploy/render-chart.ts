/**
 * Renders what our chart uses of Helm's language, and nothing else: values, the release's name, and `toYaml | nindent`. What
 * it does not know is an error, so a template cannot come to use more without this test.
 */
import { stringify } from 'yaml';

export interface ChartScope {
  readonly Values: unknown;
  readonly Release: { readonly Name: string };
}

export function renderTemplate(template: string, scope: ChartScope): string {
  return template.replace(
    /(\n[ \t]*)?\{\{(-?)(.*?)(-?)\}\}/g,
    (_, before: string | undefined, trim: string, body: string) => {
      const text = evaluate(body.trim(), scope);
      // `{{-` takes the white space in front of it away.
      return trim === '-' ? text : `${before ?? ''}${text}`;
    },
  );
}

function evaluate(expression: string, scope: ChartScope): string {
  const [, path, width] = /^toYaml (\.[\w.]+) \| nindent (\d+)$/.exec(expression) ?? [];
  if (path !== undefined) {
    const indent = ' '.repeat(Number(width));
    const lines = stringify(read(path, scope)).trimEnd().split('\n');
    return `\n${lines.map((line) => `${indent}${line}`).join('\n')}`;
  }
  if (!/^\.[\w.]+$/.test(expression)) throw new Error(`the chart uses '${expression}', which this test does not know`);
  const value = read(expression, scope);
  if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`${expression} is no single value`);
  return String(value);
}

function read(path: string, scope: ChartScope): unknown {
  let value: unknown = scope;
  for (const name of path.slice(1).split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) {
      throw new Error(`the chart uses ${path}, which has no value`);
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
