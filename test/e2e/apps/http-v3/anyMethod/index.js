/** No methods in function.json: it takes them all. */
module.exports = async (context, req) => {
  context.res = { headers: { 'x-method': req.method }, body: req.method };
};
