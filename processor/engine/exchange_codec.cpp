#include "processor/engine/exchange_codec.h"

#include "processor/engine/stable_hash.h"
#include "processor/expr/state_bytes.h"

namespace slipstream::sql {

ExchangeCodec::ExchangeCodec(const OperatorGraph::Exchange& exchange)
    : schema_(exchange.schema),
      row_codec_(exchange.schema),
      key_codec_(exchange.schema, exchange.keys) {}

void ExchangeCodec::Encode(const RowBatch& rows, const Take& take) const {
  std::string key;
  std::string bytes;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    key_codec_.Encode(rows.batch.columns, row, key);
    bytes.assign(1, static_cast<char>(rows.kind(row)));
    row_codec_.Encode(rows.batch.columns, row, bytes);
    take(StableHash(key), bytes);
  }
}

Result<RowBatch> ExchangeCodec::Decode(std::span<const std::string_view> rows) const {
  RowBatch decoded{.batch = MakeBatch(schema_), .origins = {}, .kinds = {}};
  Arena& arena = decoded.batch.NewArena();
  bool are_all_new = true;
  for (std::string_view row : rows) {
    uint8_t kind = 0;
    if (!TakeByte(row, kind) || kind > static_cast<uint8_t>(RowKind::kDelete)) {
      return DamagedState("kind of an exchanged row");
    }
    decoded.kinds.push_back(static_cast<RowKind>(kind));
    are_all_new = are_all_new && decoded.kinds.back() == RowKind::kInsert;
    RETURN_IF_ERROR(row_codec_.Decode(row, decoded.batch.columns, arena));
  }
  decoded.batch.rows = rows.size();
  if (are_all_new) decoded.kinds.clear();
  return decoded;
}

}  // namespace slipstream::sql
