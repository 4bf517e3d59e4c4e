#pragma once

#include <memory>
#include <vector>

#include "common/status/status.h"
#include "processor/formats/json_options.h"
#include "processor/formats/record_decoder.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// The options of 'format' = 'debezium-json'.
struct DebeziumOptions {
  bool schema_include = false;  // records are {"schema": …, "payload": {…}}
  JsonOptions json;             // of the rows
};

// DebeziumDecoder: what Debezium writes of a table's changes, as a stream of updates: "op" c
// (created) and r (read) are "after"'s row, u (updated) "before"'s and "after"'s, d (deleted)
// "before"'s. A tombstone is nothing.
// Errors      a record that is no such JSON, or without the row that its "op" needs (a database has
//             to be told to give "before": REPLICA IDENTITY FULL), is a failure, or skipped with
//             ignore_parse_errors.
// Threads     one at a time.
class DebeziumDecoder final : public RecordDecoder {
 public:
  static Result<std::unique_ptr<DebeziumDecoder>> Create(Schema fields, DebeziumOptions options);

  DecodedRows Decode(std::span<const std::optional<std::string_view>> records) override;

 private:
  DebeziumDecoder(Schema fields, DebeziumOptions options, std::unique_ptr<RecordDecoder> envelope)
      : fields_(std::move(fields)), options_(options), envelope_(std::move(envelope)) {}

  // The rows of one change. Errors: kInvalidArgument.
  Status AddRows(const std::vector<Column>& envelope, size_t change, DecodedRows& to) const;

  const Schema fields_;
  const DebeziumOptions options_;
  const std::unique_ptr<RecordDecoder> envelope_;
};

}  // namespace slipstream::sql
