/** Everything that the function sees of the request. */
module.exports = async (context, req) => {
  const { method, originalUrl, url, headers, query, params, body, rawBody } = req;
  const kind = Buffer.isBuffer(body) ? 'buffer' : typeof body;
  const seen = { method, originalUrl, url, headers, query, params, kind, body, rawBody };
  context.res = { status: 201, headers: { 'X-Seen': 'yes' }, body: { ...seen, binding: context.bindingData } };
};
