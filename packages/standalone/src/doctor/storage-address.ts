/** Where the blobs of a storage account are, from its connection string; undefined for the emulator and for what is none. */
export function storageAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const parts = new Map(
    text.split(';').map((part) => {
      const equals = part.indexOf('=');
      return [part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim()] as const;
    }),
  );
  // `switchyard dev` starts the emulator by itself.
  if (parts.get('usedevelopmentstorage')?.toLowerCase() === 'true') return undefined;
  const account = parts.get('accountname');
  const endpoint =
    parts.get('blobendpoint') ??
    (account === undefined
      ? undefined
      : `${parts.get('defaultendpointsprotocol') ?? 'https'}://${account}.blob.${parts.get('endpointsuffix') ?? 'core.windows.net'}`);
  if (endpoint === undefined || !URL.canParse(endpoint)) return undefined;
  const { hostname, port, protocol } = new URL(endpoint);
  return { host: hostname, port: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port) };
}
