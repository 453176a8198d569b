// curl localhost:7071/api/hello/Ada
module.exports = async function hello(context, req) {
  const name = req.params.name ?? req.query.name ?? 'world';
  context.log(`Greeting ${name}`);
  context.res = { body: `Hello, ${name}!` };
};
