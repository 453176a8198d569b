/**
 * Lines of the logs that an account of Azure Storage keeps of its requests (storage analytics, versions 1.0 and 2.0): fields between
 * semicolons, some of them in quotes with their characters escaped as in HTML.
 */

/** A blob that was written. */
export interface LoggedWrite {
  readonly container: string;
  readonly blob: string;
}

/** Operations after which a blob is another one. */
const writes: ReadonlySet<string> = new Set([
  'ClearPage',
  'CopyBlob',
  'CopyBlobDestination',
  'FlushFile',
  'IncrementalCopyBlob',
  'PutBlob',
  'PutBlockList',
  'PutPage',
  'SetBlobMetadata',
  'SetBlobProperties',
]);

const versions: ReadonlySet<string> = new Set(['1.0', '2.0']);
/** Where the fields are that count. */
const places = { version: 0, operation: 2, status: 4, service: 10, key: 12 } as const;
const fieldPattern = /(?:^|;)(?:"([^"]*)"|([^;]*))/g;
const entities: Readonly<Record<string, string>> = { amp: '&', quot: '"', lt: '<', gt: '>', apos: "'" };

/** The blob that a line says was written; undefined for every other line. */
export function readLogLine(line: string): LoggedWrite | undefined {
  const fields = [...line.matchAll(fieldPattern)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  const { version, operation, status, service, key } = places;
  if (!versions.has(fields[version] ?? '') || fields[service] !== 'blob' || !writes.has(fields[operation] ?? '')) {
    return undefined;
  }
  if (!/^2\d\d$/.test(fields[status] ?? '')) return undefined;
  // The account, the container and the rest.
  const [, container = '', blob = ''] = /^\/[^/]+\/([^/]+)\/(.+)$/s.exec(unescaped(fields[key] ?? '')) ?? [];
  return container === '' ? undefined : { container, blob };
}

function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]+));/gi, (whole, decimal, hexadecimal, name: string) => {
    if (name !== undefined) return entities[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code > 0x10ffff ? whole : String.fromCodePoint(code);
  });
}
