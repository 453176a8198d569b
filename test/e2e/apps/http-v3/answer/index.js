/** One response for each way to write one with an output named `res`. */
const answers = {
  text: { body: 'text' },
  number: { status: '202', body: 42 },
  boolean: { body: false },
  object: { body: { a: 1 } },
  list: { statusCode: 203, body: [1, 2] },
  bytes: { body: Buffer.from([0, 255]), headers: { 'Content-Type': 'image/png' } },
  jsonText: { body: '{"a":1}' },
  typed: { body: { a: 1 }, headers: { 'Content-Type': 'application/vnd.mine+json' } },
  cookies: {
    body: '',
    cookies: [
      { name: 'a', value: '1', maxAge: 5, sameSite: 'Strict' },
      { name: 'b', value: '2' },
    ],
  },
  nothing: { status: 204 },
  odd: { status: 'odd', body: 'odd' },
  raw: { isRaw: true, body: { a: 1 } },
  badHeader: { headers: { 'x-bad': 'a\r\nb: c' }, body: 'x' },
  badStatus: { status: 99, body: 'x' },
};

module.exports = async (context, req) => {
  context.res = answers[req.params.kind];
};
