// The script and the function in it are named in function.json; the answer is what the function returns.
// curl -d '{"text": "hello"}' -H 'content-type: application/json' localhost:7071/api/shout
exports.shout = async (_context, req) => {
  const text = req.body?.text;
  if (typeof text !== 'string') return { status: 400, body: { error: 'text must be a string' } };
  return { body: { text: text.toUpperCase() }, headers: { 'x-exclamations': '1' } };
};
