#include "processor/formats/debezium_decoder.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "processor/formats/json_decoder.h"

namespace slipstream::sql {
namespace {

// The fields of an envelope.
constexpr size_t kBefore = 0;
constexpr size_t kAfter = 1;
constexpr size_t kOperation = 2;

DataType RowOf(Schema fields) {
  DataType type{.kind = TypeKind::kRow};
  type.children = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

}  // namespace

Result<std::unique_ptr<DebeziumDecoder>> DebeziumDecoder::Create(Schema fields,
                                                                 DebeziumOptions options) {
  // A ROW has to have a field, or its column would not know how many rows it has.
  Schema row = fields;
  if (row.empty()) row.push_back({"", DataType::Boolean()});
  Schema envelope = {{"before", RowOf(row)}, {"after", RowOf(row)}, {"op", DataType::String()}};
  if (options.schema_include) envelope = {{"payload", RowOf(std::move(envelope))}};
  ASSIGN_OR_RETURN(std::unique_ptr<JsonDecoder> decoder,
                   JsonDecoder::Create(std::move(envelope), options.json));
  return std::unique_ptr<DebeziumDecoder>(
      new DebeziumDecoder(std::move(fields), options, std::move(decoder)));
}

DecodedRows DebeziumDecoder::Decode(std::span<const std::optional<std::string_view>> records) {
  DecodedRows envelopes = envelope_->Decode(records);
  DecodedRows rows{.batch = MakeBatch(fields_),
                   .origins = {},
                   .kinds = {},
                   .failures = std::move(envelopes.failures),
                   .skipped = envelopes.skipped};
  rows.batch.keep_alive = std::move(envelopes.batch.keep_alive);
  const size_t decoded_failures = rows.failures.size();
  const Column* const payload = options_.schema_include ? &envelopes.batch.columns[0] : nullptr;
  const std::vector<Column>& envelope =
      payload != nullptr ? payload->children : envelopes.batch.columns;
  for (size_t change = 0; change < envelopes.batch.rows; ++change) {
    const bool is_there = payload == nullptr || !payload->is_null(change);
    const Status status = is_there ? AddRows(envelope, change, rows)
                                   : InvalidArgument("not Debezium's: there is no \"payload\"");
    rows.origins.resize(rows.batch.rows, envelopes.origins[change]);
    if (status.ok()) continue;
    if (options_.json.ignore_parse_errors) {
      ++rows.skipped;
    } else {
      rows.failures.push_back({.record = envelopes.origins[change], .message = status.message()});
    }
  }
  std::inplace_merge(rows.failures.begin(),
                     rows.failures.begin() + static_cast<ptrdiff_t>(decoded_failures),
                     rows.failures.end(),
                     [](const auto& a, const auto& b) { return a.record < b.record; });
  return rows;
}

Status DebeziumDecoder::AddRows(const std::vector<Column>& envelope,
                                size_t change,
                                DecodedRows& to) const {
  const Column& operations = envelope[kOperation];
  const std::string_view operation =
      operations.is_null(change) ? std::string_view() : operations.strings[change];
  const bool needs_before = operation == "u" || operation == "d";
  const bool needs_after = operation == "u" || operation == "c" || operation == "r";
  if (!needs_before && !needs_after) {
    return InvalidArgument("not Debezium's: \"op\" is none of c, r, u and d");
  }
  for (const size_t side : {kBefore, kAfter}) {
    const bool is_needed = side == kBefore ? needs_before : needs_after;
    if (!is_needed || !envelope[side].is_null(change)) continue;
    return InvalidArgument(side == kBefore
                               ? "\"before\" is null in an update or a delete; the database has to "
                                 "give it (in PostgreSQL: REPLICA IDENTITY FULL)"
                               : "\"after\" is null");
  }
  const auto add = [&](size_t side, RowKind kind) {
    for (size_t i = 0; i < fields_.size(); ++i)
      to.batch.columns[i].AppendFrom(envelope[side].children[i], change);
    to.kinds.push_back(kind);
    ++to.batch.rows;
  };
  if (needs_before) add(kBefore, needs_after ? RowKind::kUpdateBefore : RowKind::kDelete);
  if (needs_after) add(kAfter, needs_before ? RowKind::kUpdateAfter : RowKind::kInsert);
  return {};
}

}  // namespace slipstream::sql
