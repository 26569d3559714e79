// Loaded into Azurite before it starts (node --require): gives its tables the index that Azure's have.
//
// Azurite 3.35 finds a row by looking at every row of its partition, and answers a range by looking at every row of the
// table, in whatever partition. Azure does neither: its tables are ordered by PartitionKey and RowKey. With tens of
// thousands of rows the difference is seconds, and hides how operations behave. Here rows are found by their keys, and
// a range within one partition is read in key order until the page is full. What a filter means is still Azurite's to
// say: every row of the range is put to its own predicate, and filters of other forms go the way they always did.
//
// It also clears away what deleted messages left, once a minute, all of it before it answers anybody again; and each
// removal sorts all that is left anew: after a few thousand messages nothing is served for ten seconds and more. Here
// each takes its own turn and is taken out of the order, which stays. What is younger than Azurite's own ten minutes is
// left alone, as it was meant to be: it may belong to a message that is being written.
"use strict";

const { createRequire } = require("node:module");
const path = require("node:path");

let Loki, Store, Filters, Extents;
try {
  const inAzurite = createRequire(process.argv[1]);
  const persistence = path.join(path.dirname(process.argv[1]), "table", "persistence");
  Loki = inAzurite("lokijs");
  Store = inAzurite(path.join(persistence, "LokiTableMetadataStore.js")).default;
  Filters = inAzurite(path.join(persistence, "LokiTableStoreQueryGenerator.js")).default;
  const common = path.join(path.dirname(process.argv[1]), "common", "persistence");
  Extents = inAzurite(path.join(common, "LokiExtentMetadataStore.js")).default;
} catch (error) {
  console.error(`This Azurite is made otherwise than 3.35.0 and stays without an index: ${error.message}`);
  return;
}

const TERM = /^(\w+) (eq|ge|gt|le|lt|ne) ('(?:[^']|'')*'|[^\s'()]+)(?: and |$)/;
const indexes = new WeakMap();

/** The rows of one table by their keys, and the row keys of each partition in order. */
class Index {
  constructor(collection) {
    this.partitions = new Map();
    for (const row of collection.data) this.add(row);
    collection.on("insert", (row) => this.add(row));
    collection.on("update", (row) => this.add(row));
    collection.on("delete", (row) => this.remove(row));
    // Nothing reads Loki's own indexes of these keys any more, and each removal would walk through them.
    collection.binaryIndices = {};
  }

  add(row) {
    let partition = this.partitions.get(row.PartitionKey);
    if (!partition) this.partitions.set(row.PartitionKey, (partition = { rows: new Map(), keys: [] }));
    if (!partition.rows.has(row.RowKey)) partition.keys.splice(place(partition.keys, row.RowKey), 0, row.RowKey);
    partition.rows.set(row.RowKey, row);
  }

  remove(row) {
    const partition = this.partitions.get(row.PartitionKey);
    if (!partition || !partition.rows.delete(row.RowKey)) return;
    partition.keys.splice(place(partition.keys, row.RowKey), 1);
  }

  get(partitionKey, rowKey) {
    return this.partitions.get(partitionKey)?.rows.get(rowKey) ?? null;
  }

  *from(partitionKey, rowKey) {
    const partition = this.partitions.get(partitionKey);
    if (!partition) return;
    for (let at = place(partition.keys, rowKey); at < partition.keys.length; at += 1) {
      yield partition.rows.get(partition.keys[at]);
    }
  }
}

/** Where a key is, or would be, among keys in order. */
function place(keys, key) {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function indexOf(collection) {
  let index = indexes.get(collection);
  if (!index) indexes.set(collection, (index = new Index(collection)));
  return index;
}

/** The range that a filter of plain terms joined by "and" asks for within one partition; null for any other filter. */
function rangeOf(filter) {
  const range = { partition: undefined, from: "", below: undefined, through: undefined };
  let rest = filter ?? "";
  while (rest) {
    const term = TERM.exec(rest);
    if (!term) return null;
    rest = rest.slice(term[0].length);
    const [, name, operator, literal] = term;
    if (name !== "PartitionKey" && name !== "RowKey") continue;
    if (!literal.startsWith("'")) return null;
    const key = literal.slice(1, -1).replaceAll("''", "'");
    if (name === "PartitionKey") {
      if (operator !== "eq" || range.partition !== undefined) return null;
      range.partition = key;
    } else if (operator === "ge" || operator === "gt" || operator === "eq") {
      if (key > range.from) range.from = key;
      if (operator === "eq") range.through = key;
    } else if (operator === "lt") {
      if (range.below === undefined || key < range.below) range.below = key;
    } else if (operator === "le") {
      if (range.through === undefined || key < range.through) range.through = key;
    }
  }
  return range.partition === undefined ? null : range;
}

const findOne = Loki.Collection.prototype.findOne;
Loki.Collection.prototype.findOne = function (query) {
  const { PartitionKey, RowKey } = query ?? {};
  if (typeof PartitionKey === "string" && typeof RowKey === "string" && Object.keys(query).length === 2) {
    return indexOf(this).get(PartitionKey, RowKey);
  }
  return findOne.apply(this, arguments);
};

const queryTableEntities = Store.prototype.queryTableEntities;
Store.prototype.queryTableEntities = async function (context, account, table, options, nextPartition, nextRow) {
  const range = rangeOf(options.filter);
  const asked = this.decodeContinuationHeader(nextPartition);
  if (!range || (asked !== undefined && asked !== range.partition)) {
    return queryTableEntities.apply(this, arguments);
  }
  const rows = this.getEntityCollection(account, table, context);
  const isWanted = Filters.generateQueryForPersistenceLayer(options, context);
  const most = this.getMaxResultsOption(options);
  const start = this.decodeContinuationHeader(nextRow) ?? "";
  const found = [];
  for (const row of indexOf(rows).from(range.partition, start > range.from ? start : range.from)) {
    if (found.length > most) break;
    if (range.below !== undefined && row.RowKey >= range.below) break;
    if (range.through !== undefined && row.RowKey > range.through) break;
    if (isWanted(row)) found.push(row);
  }
  const more = this.adjustQueryResultforTop(found, most);
  return [found, more.nextPartitionKeyResponse, more.nextRowKeyResponse];
};

Extents.prototype.deleteExtent = async function (id) {
  const extents = this.db.getCollection(this.EXTENTS_COLLECTION);
  const extent = extents.findOne({ id });
  if (extent) extents.remove(extent);
  await new Promise((resolve) => setImmediate(resolve));
};

const listExtents = Extents.prototype.listExtents;
Extents.prototype.listExtents = async function (id, maxResults, marker, queryTime, protectTimeInMs) {
  const [extents, next] = await listExtents.apply(this, arguments);
  if (queryTime === undefined) return [extents, next];
  // Azurite asks for a time under a name that new extents do not have, and so for nothing.
  const before = queryTime.getTime() - (protectTimeInMs ?? 0);
  return [extents.filter((one) => Math.max(one.lastModifiedInMS, one.LastModifyInMS ?? 0) < before), next];
};
