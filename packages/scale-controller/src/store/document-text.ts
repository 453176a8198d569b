import { scaleErrors } from '../errors.ts';
import { type DocumentKind, maxDocumentBytes, maxKeyCharacters } from './contract.ts';

/** A body as it is kept. Throws SCALE_DOCUMENT_TOO_LARGE. */
export function toDocumentText(kind: DocumentKind, key: string, body: unknown): string {
  const text = JSON.stringify(body) ?? 'null';
  const sizeBytes = Buffer.byteLength(text);
  if (sizeBytes > maxDocumentBytes || key.length > maxKeyCharacters) {
    const limits = { sizeBytes, maxBytes: maxDocumentBytes, maxCharacters: maxKeyCharacters };
    throw scaleErrors.create('SCALE_DOCUMENT_TOO_LARGE', { kind, key: key.slice(0, 60), ...limits });
  }
  return text;
}
