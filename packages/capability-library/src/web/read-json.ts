import { refuseParameter, shorten } from '../parameters.ts';
import type { HttpResponse } from './http-client.ts';
import { shown } from './web-target.ts';

/** The JSON of a response. Fails with PARAMETER_INVALID when it is none. */
export function readJson({ status, url, body }: HttpResponse): { status: number; url: string; json: unknown } {
  const text = new TextDecoder().decode(body);
  try {
    return { status, url, json: JSON.parse(text) };
  } catch {
    return refuseParameter(`What '${shown(url)}' answered`, `'${shorten(text)}' is no JSON`);
  }
}
