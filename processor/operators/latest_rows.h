#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"

namespace slipstream::sql {

// LatestRowsOperator: the rows of a source that gives the newest row of each key, or that it has
// gone ('upsert-kafka'), as a stream of updates that says what each row replaces.
//
// Input       kUpdateAfter: the key's row from here on; kDelete: there is none (only the key's
//             columns have values). A row that is the same as before gives nothing, nor does a key
//             that goes and was not there.
// State       the row of each key. Format: docs/FORMATS.md, section "State".
class LatestRowsOperator final : public Operator {
 public:
  // `key_columns` and `schema` of input and output, which are the same.
  LatestRowsOperator(std::vector<size_t> key_columns, Schema schema);

  std::unique_ptr<OperatorState> MakeState() const override;
  bool SpillTo(OperatorState* state, ScratchSpace& space) const override;
  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;
  bool Forget(OperatorState* state, std::string_view key) const override;
  bool is_stateful() const override { return true; }
  void SaveChanges(OperatorState* state, StateSink& sink) const override;
  Status Restore(OperatorState* state, std::string_view key, std::string_view value) const override;

 private:
  struct State;
  class Changes;  // rows on their way out

  const Schema schema_;
  const RowKeyCodec key_codec_;
  const RowCodec row_codec_;
};

}  // namespace slipstream::sql
