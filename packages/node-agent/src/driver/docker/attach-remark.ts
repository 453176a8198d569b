import type { OutputStream } from '../contract.ts';

/** What Podman writes when its monitor of the container has gone first (`libpod`, attach over a Unix socket). */
const podmanRemark = /^Error: read unixpacket @->\S+\/attach: read: connection reset by peer\n$/;

/** The longest remark. */
const maxBytes = 200;

/**
 * True for what an engine says itself at the end of an attached stream, in the midst of what the program has said: Podman sends
 * such a line as a frame of stderr when the container ends while it reads.
 */
export function isAttachRemark(stream: OutputStream, bytes: Uint8Array): boolean {
  if (stream !== 'stderr' || bytes.byteLength > maxBytes) return false;
  return podmanRemark.test(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
}
