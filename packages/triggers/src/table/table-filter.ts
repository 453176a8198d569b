/**
 * The filter of a table input: OData with placeholders.
 *
 * A value inside single quotes has its own quotes doubled; a value outside of them must be a plain number, word, date or
 * GUID. So no value, wherever it comes from, changes what the filter means.
 */
import {
  type BindingExpression,
  type ExpressionScope,
  parseBindingExpression,
  type SettingsView,
} from '@switchyard/model';

/** A parsed filter. */
export interface TableFilter {
  /** Fills the filter. Throws what expressions throw, and what `refuse` gives for a value that may not stand there. */
  resolve(data: ReadonlyMap<string, unknown>, scope: ExpressionScope, refuse: (value: string) => Error): string;
}

type Piece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'value'; readonly expression: BindingExpression; readonly isQuoted: boolean };

const tokenPattern = /(\{\{|\}\})|(\{[^{}]*\})|([^{}]+)/gu;

/** What may stand outside of quotes. */
const bareValue = /^[\w.:+-]+$/;

/** Parses a filter; `where` names it in errors. Throws what expressions throw. */
export function parseTableFilter(text: string, where: string, settings: SettingsView): TableFilter {
  const whole = parseBindingExpression(text, where, settings);
  const pieces: Piece[] = [];
  let isQuoted = false;
  for (const [, escaped, token, literal] of whole.text.matchAll(tokenPattern)) {
    if (token !== undefined) {
      pieces.push({ kind: 'value', expression: parseBindingExpression(token, where), isQuoted });
      continue;
    }
    const plain = literal ?? escaped?.slice(1) ?? '';
    pieces.push({ kind: 'literal', text: plain });
    // A doubled quote within quotes opens and closes: what counts is whether their number is odd.
    if ((plain.split("'").length - 1) % 2 === 1) isQuoted = !isQuoted;
  }
  return {
    resolve(data, scope, refuse) {
      return pieces
        .map((piece) => {
          if (piece.kind === 'literal') return piece.text;
          const value = piece.expression.resolve(data, scope);
          if (piece.isQuoted) return value.replaceAll("'", "''");
          if (!bareValue.test(value)) throw refuse(value);
          return value;
        })
        .join('');
    },
  };
}

/** A text as a literal of OData. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
