import { triggerErrors } from '../errors.ts';

/** A header's name is a token of RFC 9110. */
const namePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** A header's value is one line of Latin-1 text; the tab is the one control character in it. */
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Headers of one connection: the gateway's business, not the function's. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers of one response, checked as they come. */
export class ReplyHeaders {
  readonly #others: [name: string, value: string][] = [];
  #contentType: string | undefined;
  #contentLength: string | undefined;

  /** The function's own content type; the last one counts. */
  get contentType(): string | undefined {
    return this.#contentType;
  }

  /** Adds a header. Throws HTTP_REPLY_HEADER_INVALID for one that HTTP does not allow. */
  add(name: string, value: string): void {
    if (!namePattern.test(name) || !valuePattern.test(value)) {
      throw triggerErrors.create('HTTP_REPLY_HEADER_INVALID', { header: JSON.stringify(name) });
    }
    const lower = name.toLowerCase();
    if (lower === 'content-type') this.#contentType = value;
    else if (lower === 'content-length') this.#contentLength = value;
    else if (!connectionHeaders.has(lower)) this.#others.push([name, value]);
  }

  /**
   * All headers, with the content type of the body. The function's content length counts only for HEAD, where there is
   * no body to measure.
   */
  toList(contentType: string | undefined, method: string): readonly (readonly [string, string])[] {
    const list = this.#others;
    if (contentType !== undefined) list.push(['content-type', contentType]);
    if (method === 'HEAD' && this.#contentLength !== undefined) list.push(['content-length', this.#contentLength]);
    return list;
  }
}
