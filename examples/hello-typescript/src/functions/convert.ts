import { app, type HttpRequest, type HttpResponseInit } from '@azure/functions';

type Scale = 'celsius' | 'fahrenheit';

const converters: Record<Scale, (degrees: number) => { readonly scale: Scale; readonly degrees: number }> = {
  celsius: (degrees) => ({ scale: 'fahrenheit', degrees: degrees * 1.8 + 32 }),
  fahrenheit: (degrees) => ({ scale: 'celsius', degrees: (degrees - 32) / 1.8 }),
};

// curl localhost:7071/api/convert/100
// curl localhost:7071/api/convert/212?from=fahrenheit
async function convert(request: HttpRequest): Promise<HttpResponseInit> {
  const from = request.query.get('from') ?? 'celsius';
  const converter = Object.entries(converters).find(([scale]) => scale === from)?.[1];
  if (converter === undefined) return { status: 400, jsonBody: { error: `no such scale: ${from}` } };
  return { jsonBody: converter(Number(request.params.degrees)) };
}

app.http('convert', { methods: ['GET'], authLevel: 'anonymous', route: 'convert/{degrees:double}', handler: convert });
