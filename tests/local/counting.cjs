// Loaded into Azurite by a test: says how many rows each query looked at.
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");

const inAzurite = createRequire(process.argv[1]);
const name = "LokiTableStoreQueryGenerator.js";
const Filters = inAzurite(path.join(path.dirname(process.argv[1]), "table", "persistence", name)).default;

const generate = Filters.generateQueryForPersistenceLayer;
Filters.generateQueryForPersistenceLayer = (...asked) => {
  const isWanted = generate.apply(Filters, asked);
  let looked = 0;
  setImmediate(() => console.log(`looked at ${looked} rows`));
  return (row) => {
    looked += 1;
    return isWanted(row);
  };
};
