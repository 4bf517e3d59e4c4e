#include "processor/columns/batch.h"

namespace slipstream::sql {

Arena& Batch::NewArena() {
  auto arena = std::make_shared<Arena>();
  Arena& borrowed = *arena;
  keep_alive.push_back(std::move(arena));
  return borrowed;
}

Batch MakeBatch(const Schema& schema) {
  Batch batch;
  batch.columns.reserve(schema.size());
  for (const Field& field : schema)
    batch.columns.emplace_back(field.type);
  return batch;
}

uint64_t ValueBytes(const Batch& batch) {
  uint64_t bytes = 0;
  for (const Column& column : batch.columns)
    bytes += ValueBytes(column);
  return bytes;
}

Batch Gather(const Batch& batch, const std::vector<uint32_t>& rows) {
  Batch gathered;
  gathered.rows = rows.size();
  gathered.keep_alive = batch.keep_alive;
  gathered.columns.reserve(batch.columns.size());
  for (const Column& column : batch.columns)
    gathered.columns.push_back(Gather(column, rows));
  return gathered;
}

}  // namespace slipstream::sql
