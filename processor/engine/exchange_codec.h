#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/engine/operator_graph.h"
#include "processor/operators/key_codec.h"
#include "processor/operators/row_batch.h"
#include "processor/operators/row_codec.h"

namespace slipstream::sql {

// ExchangeCodec: the rows of one exchange as bytes, and the hash by which they find their task.
// Format: docs/FORMATS.md, "Repartition topic". Threads: immutable.
class ExchangeCodec {
 public:
  explicit ExchangeCodec(const OperatorGraph::Exchange& exchange);

  using Take = std::function<void(uint64_t hash, std::string_view row)>;
  void Encode(const RowBatch& rows, const Take& take) const;
  // kDataLoss: damaged. The rows have no origins.
  Result<RowBatch> Decode(std::span<const std::string_view> rows) const;

 private:
  const Schema schema_;
  const RowCodec row_codec_;
  const RowKeyCodec key_codec_;
};

}  // namespace slipstream::sql
