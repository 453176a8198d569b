'use strict';
const { DatabaseSync } = require('node:sqlite');

/** The orders of each account, in the database of the shard: they are there after the process has ended. */
exports.create = ({ statePath }) => {
  const database = new DatabaseSync(statePath);
  database.exec('create table if not exists orders (account text, number integer, item text, cents integer) strict');
  const last = database.prepare('select coalesce(max(number), 0) as number from orders where account = ?');
  const insert = database.prepare('insert into orders values (?, ?, ?, ?)');
  return {
    methods: {
      enter: ({ account }, item, cents) => {
        const number = last.get(account).number + 1;
        insert.run(account, number, item, cents);
        return { number, cents };
      },
    },
    dispose: () => database.close(),
  };
};
