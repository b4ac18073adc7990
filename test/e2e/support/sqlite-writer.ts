import { DatabaseSync } from 'node:sqlite';

/**
 * A process of its own that writes into the database named on its command line until it is ended: each transaction
 * moves an amount from the stock to an order, so that in every consistent view the two sums agree.
 */
const database = new DatabaseSync(process.argv[2]!, { timeout: 10_000 });
const insert = database.prepare('INSERT INTO orders (amount, body) VALUES (?, randomblob(700))');
const take = database.prepare('UPDATE stock SET left = left - ? WHERE id = 1');

function trade(): void {
  for (let batch = 0; batch < 4; batch++) {
    const amount = 1 + Math.floor(Math.random() * 9);
    database.exec('BEGIN IMMEDIATE');
    insert.run(amount);
    take.run(amount);
    database.exec('COMMIT');
  }
  setTimeout(trade, 2);
}

trade();
process.stdout.write('writing\n');
