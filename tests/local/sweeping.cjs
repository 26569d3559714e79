// Loaded into Azurite by a test: clears away often and at once, and says how much, and how often it sorted for that.
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");

const inAzurite = createRequire(process.argv[1]);
const source = path.dirname(process.argv[1]);
const Loki = inAzurite("lokijs");
const Memory = inAzurite(path.join(source, "common", "persistence", "MemoryExtentStore.js")).default;
const common = inAzurite(path.join(source, "common", "utils", "constants.js"));

inAzurite(path.join(source, "queue", "utils", "constants.js")).DEFAULT_GC_INTERVAL_MS = 250;
common.DEFAULT_EXTENT_GC_PROTECT_TIME_IN_MS = Number(process.env.PROTECTED_MS ?? common.DEFAULT_EXTENT_GC_PROTECT_TIME_IN_MS);

let sorts = 0;
const sort = Loki.Collection.prototype.ensureIndex;
Loki.Collection.prototype.ensureIndex = function () {
  sorts += 1;
  return sort.apply(this, arguments);
};

const sweep = Memory.prototype.deleteExtents;
Memory.prototype.deleteExtents = async function (extents) {
  const before = sorts;
  const count = await sweep.call(this, extents);
  console.log(`swept ${count} with ${sorts - before} sorts`);
  return count;
};
