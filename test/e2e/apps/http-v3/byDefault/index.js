/** An empty level is the default: `function`. */
module.exports = async (context) => {
  context.res = { body: 'function' };
};
