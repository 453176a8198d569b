/** Writes tar archives (ustar, with pax headers for long names): build contexts and the images of tests. Pure. */

export interface TarEntry {
  /** A relative path; a slash at its end makes a folder. */
  readonly path: string;
  readonly content?: Uint8Array;
  /** Permission bits; 0644 for files and 0755 for folders when left out. */
  readonly mode?: number;
  /** Makes a symbolic link to this path. */
  readonly linkTo?: string;
}

const blockBytes = 512;
const maxNameBytes = 100;

/** Packs the entries in their order. The same entries give the same bytes. */
export function packTar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const { path, content = new Uint8Array(), mode, linkTo } of entries) {
    const isFolder = path.endsWith('/');
    const type = linkTo !== undefined ? '2' : isFolder ? '5' : '0';
    if (Buffer.byteLength(path) > maxNameBytes) blocks.push(...paxHeader(path));
    const header = {
      name: path,
      type,
      mode: mode ?? (isFolder ? 0o755 : 0o644),
      sizeBytes: content.byteLength,
      linkTo,
    };
    blocks.push(headerOf(header), ...padded(content));
  }
  blocks.push(Buffer.alloc(2 * blockBytes));
  return Buffer.concat(blocks);
}

interface Header {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly linkTo?: string | undefined;
}

function headerOf({ name, type, mode, sizeBytes, linkTo = '' }: Header): Buffer {
  const block = Buffer.alloc(blockBytes);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  };
  Buffer.from(name).copy(block, 0, 0, maxNameBytes);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(sizeBytes, 124, 11);
  octal(0, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write(type, 156, 'latin1');
  Buffer.from(linkTo).copy(block, 157, 0, maxNameBytes);
  block.write('ustar\0' + '00', 257, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** A record that gives the next entry its full name. Its length counts itself. */
function paxHeader(path: string): Buffer[] {
  const body = ` path=${path}\n`;
  let length = Buffer.byteLength(body);
  while (Buffer.byteLength(`${length}${body}`) !== length) length = Buffer.byteLength(`${length}${body}`);
  const record = Buffer.from(`${length}${body}`);
  return [headerOf({ name: 'PaxHeader', type: 'x', mode: 0o644, sizeBytes: record.length }), ...padded(record)];
}

function padded(content: Uint8Array): Buffer[] {
  const rest = content.byteLength % blockBytes;
  return [Buffer.from(content), ...(rest === 0 ? [] : [Buffer.alloc(blockBytes - rest)])];
}
