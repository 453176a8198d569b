import { app } from '@azure/functions';

const partBytes = 64 * 1024;

// As many bytes as the caller wants, made while they are sent. The length is known, so clients can show progress.
// curl localhost:7071/api/download/1000000000 | sha256sum
app.http('download', {
  methods: ['GET'],
  authLevel: 'anonymous',
  route: 'download/{sizeBytes:long:min(0)}',
  handler: (request) => {
    const sizeBytes = Number(request.params.sizeBytes);
    return {
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(sizeBytes) },
      body: ReadableStream.from(parts(sizeBytes)),
    };
  },
});

/** The bytes 0, 1, 2 ... 255 over and over, as an async generator: the next part is made when the last one was taken. */
async function* parts(sizeBytes) {
  const part = Uint8Array.from({ length: partBytes }, (_, index) => index % 256);
  for (let left = sizeBytes; left > 0; left -= partBytes) yield left >= partBytes ? part : part.subarray(0, left);
}
