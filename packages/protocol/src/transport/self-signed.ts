/**
 * A certificate that signs itself, made on the spot: for who can tell its peers by another way that it is the right one.
 * Source of the layout: RFC 5280 (certificates) and X.690 (DER).
 */
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface SelfSigned {
  readonly certificate: string;
  readonly key: string;
}

/** Makes a key and a certificate that signs itself, for `localhost`, names and IPv4 addresses, valid for a century or until then. */
export function createSelfSigned(
  commonName: string,
  addresses: readonly string[] = ['127.0.0.1'],
  endsAt = '21200101000000Z',
): SelfSigned {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const validity = sequence(der(0x17, Buffer.from('200101000000Z')), der(0x18, Buffer.from(endsAt)));
  const bytesOf = (address: string): Buffer =>
    isIPv4(address) ? der(0x87, Buffer.from(address.split('.').map(Number))) : der(0x82, Buffer.from(address));
  const hosts = sequence(der(0x82, Buffer.from('localhost')), ...addresses.map(bytesOf));
  const authority = sequence(der(0x01, Buffer.from([0xff])));
  const extensions = sequence(
    sequence(oid('2.5.29.17'), der(0x04, hosts)),
    sequence(oid('2.5.29.19'), der(0x01, Buffer.from([0xff])), der(0x04, authority)),
  );
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]);
  const certificate = new X509Certificate(sequence(body, algorithm, der(0x03, signature)));
  return { certificate: certificate.toString(), key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of others) {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}
