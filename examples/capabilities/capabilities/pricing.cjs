'use strict';

/** What things cost. Holds nothing, so it runs in a thread that comes and goes. */
exports.create = ({ config: { prices } }) => ({
  methods: {
    quote: (_call, item, count) => {
      if (!Object.hasOwn(prices, item)) throw new Error(`nothing called '${item}' is sold here`);
      if (!Number.isInteger(count) || count < 1) throw new Error(`${count} is no number of things`);
      return prices[item] * count;
    },
  },
});
