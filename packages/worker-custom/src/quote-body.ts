import type { HandlerReply } from './handler/ports.ts';

/** The beginning of an answer's body, for an error; what is not text is told by its size. */
export function quoteBody({ body }: HandlerReply, maxLength: number): string {
  if (body.length === 0) return '(an empty body)';
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    return text.length > maxLength ? `${text.slice(0, maxLength)}... (${body.length} bytes)` : text;
  } catch {
    return `(${body.length} bytes that are no text)`;
  }
}
