import type { Text } from '@switchyard/capabilities';
import type { CallContext, CapabilityInstance, CapabilityModule } from '../capability-module.ts';
import { canonicalJson, copyJson } from '../json/json-value.ts';
import { asBytes, asInteger, asList, asOneOf, asRecord, asText, describe, refuseParameter } from '../parameters.ts';
import { formatCsv, parseCsv } from './csv.ts';
import { decode, encode, encodings } from './encoding.ts';
import { escapings, fillTemplate } from './template.ts';
import { ngramVector, type Token, tokenise } from './tokenise.ts';

/** What `text` does beyond the list that every client knows. */
export interface TextTools extends Text {
  /** Fills in `{{name}}`, and escapes the values for what stands around them. */
  fill(
    template: string,
    values: Readonly<Record<string, string | number>>,
    escaping?: 'none' | 'html' | 'json' | 'url',
  ): PromiseLike<string>;
  /** Words, numbers and what stands between them. */
  tokenise(text: string): PromiseLike<{ tokens: Token[]; truncated: boolean }>;
  /** Relative counts of the text's character n-grams in hash buckets: the input of text models. */
  ngrams(text: string, size: number, buckets: number): PromiseLike<number[]>;
}

/** `text`, tier 1: text and serialization. It keeps nothing. */
export const textCapability: CapabilityModule = {
  create: (): CapabilityInstance => ({ methods }),
};

const methods = {
  parseCsv: (_call: CallContext, text: unknown, separator: unknown): string[][] =>
    parseCsv(asText(text, 'The CSV text'), separatorOf(separator)),
  formatCsv: (_call: CallContext, rows: unknown, separator: unknown): string =>
    formatCsv(asRows(rows), separatorOf(separator)),
  encode: (_call: CallContext, data: unknown, encoding: unknown): string =>
    encode(asBytes(data, 'The data'), asOneOf(encoding, 'The encoding', encodings)),
  decode: (_call: CallContext, text: unknown, encoding: unknown): Uint8Array =>
    decode(asText(text, 'The text'), asOneOf(encoding, 'The encoding', encodings)),
  canonicalJson: (_call: CallContext, value: unknown): string => canonicalJson(copyJson(value, 'The value')),
  fill: (_call: CallContext, template: unknown, values: unknown, escaping: unknown): string =>
    fillTemplate(
      asText(template, 'The template'),
      asRecord(values, 'The values'),
      asOneOf(escaping ?? 'none', 'The escaping', escapings),
    ),
  tokenise: (_call: CallContext, text: unknown) => tokenise(asText(text, 'The text')),
  ngrams: (_call: CallContext, text: unknown, size: unknown, buckets: unknown): number[] =>
    ngramVector(
      asText(text, 'The text'),
      asInteger(size, 'The size', 1, 8),
      asInteger(buckets, 'The number of buckets', 1, 65_536),
    ),
};

function separatorOf(value: unknown): string {
  return value === undefined || value === null ? ',' : asText(value, 'The separator', 1);
}

function asRows(value: unknown): string[][] {
  return asList(value, 'The rows').map((row, rowIndex) =>
    asList(row, `Row ${rowIndex}`).map((field, index) => {
      if (typeof field !== 'string')
        refuseParameter(`Field ${index} of row ${rowIndex}`, `it is ${describe(field)}, and must be a text`);
      return field;
    }),
  );
}
