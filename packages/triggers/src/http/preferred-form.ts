/** A form in which content that is neither text nor bytes can be written. */
export type ContentForm = 'json' | 'xml';

/**
 * The form that the caller's `accept` header prefers: the one with the highest quality, the first of several. Undefined
 * when it names neither, or prefers plain text to both.
 */
export function preferredForm(accept: string): ContentForm | undefined {
  let best: { readonly form: ContentForm | undefined; readonly quality: number } = { form: undefined, quality: 0 };
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const named = /^(?:application|text)\/(?:[^/]*\+)?(json|xml|plain)$/.exec(type)?.[1];
    const quality = qualityOf(parameters);
    if (named !== undefined && quality > best.quality) {
      best = { form: named === 'json' || named === 'xml' ? named : undefined, quality };
    }
  }
  return best.form;
}

/** 1 unless it is given; what is no number counts as refusal. */
function qualityOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  if (given === undefined) return 1;
  return /^(?:0(?:\.\d*)?|1(?:\.0*)?)$/.test(given) ? Number(given) : 0;
}
