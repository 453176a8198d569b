/** The oldest style: a callback, and `context.res` with its methods. */
module.exports = (context) => {
  context.res.status(202).set('X-Style', 'callback').type('text/plain').send('done');
};
