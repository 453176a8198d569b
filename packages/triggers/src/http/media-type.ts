/** The media type of a content-type header in lower case, without parameters. */
export function mediaTypeOf(contentType: string): string {
  const semicolon = contentType.indexOf(';');
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase();
}

/** True for content that is never text: octet streams and multipart. */
export function isBinaryMediaType(mediaType: string): boolean {
  return mediaType === 'application/octet-stream' || mediaType.startsWith('multipart/');
}

/** The content type of a text body: whatever charset it names becomes UTF-8, which is what we write. */
export function withUtf8Charset(contentType: string): string {
  const charset = /;\s*charset\s*=\s*("[^"]*"|[^;\s]*)/i.exec(contentType);
  if (charset === null) return `${contentType}; charset=utf-8`;
  const name = (charset[1] ?? '').replaceAll('"', '').toLowerCase();
  return name === 'utf-8' ? contentType : contentType.replace(charset[0], '; charset=utf-8');
}
