/** One response for each kind of value that an output named `$return` may get. */
const values = {
  text: 'text',
  jsonText: '{"a":1}',
  number: 42,
  list: [1, { a: 2 }],
  object: { a: 1 },
  response: { status: 201, headers: { 'x-a': 'b' }, body: 'body' },
  nothing: null,
  undefined: undefined,
  bytes: Buffer.from([1, 2]),
};

module.exports = async (_context, req) => values[req.params.kind];
