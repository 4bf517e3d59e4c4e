#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "processor/operators/join_rows.h"
#include "processor/operators/operator.h"

namespace slipstream::sql {

// LookupTable: all rows of the right side of a join, by key. Immutable once it is filled; shared by
// the tasks that look up in it.
class LookupTable {
 public:
  explicit LookupTable(const JoinDescription& description);

  void Add(const Batch& rows);

  const Batch& rows() const { return rows_; }
  // Numbers of the rows with that key, in their order; nullptr: there are none.
  const std::vector<uint32_t>* Find(const std::string& key) const;

 private:
  const JoinSide side_;
  Batch rows_;
  std::unordered_map<std::string, std::vector<uint32_t>> by_key_;
};

// LookupSource: where a lookup join has its table from.
// Threads   thread-safe.
// Blocking  when the table may have changed, and is read anew.
class LookupSource {
 public:
  virtual ~LookupSource() = default;
  // The table as it is now, or was a short time ago (the source says how short). `now_us`:
  // processing time.
  virtual Result<std::shared_ptr<const LookupTable>> Table(int64_t now_us) = 0;
};

// LookupJoinOperator: puts beside each row those of a table that have its key, as the table is when
// the row comes. Keeps nothing.
//
// Errors  a row for which the condition fails with any of the table's rows is rejected.
class LookupJoinOperator final : public Operator {
 public:
  LookupJoinOperator(JoinDescription description, std::shared_ptr<LookupSource> source);

  Status Process(RowBatch rows,
                 int64_t watermark,
                 OperatorState* state,
                 OperatorOutput& out) const override;

 private:
  Status Emit(const RowBatch& rows,
              const LookupTable& table,
              const RowPairs& pairs,
              OperatorOutput& out) const;

  const JoinDescription description_;
  const JoinSide left_;
  const JoinPairs pairs_;
  const std::shared_ptr<LookupSource> source_;  // shared with the job
};

}  // namespace slipstream::sql
