#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "processor/operators/key_codec.h"
#include "processor/operators/operator.h"
#include "processor/operators/row_codec.h"
#include "processor/planner/plan.h"

namespace slipstream::sql {

// What the operators of joins have in common: how rows of two sides are told to belong together
// and put side by side.

struct JoinDescription {
  JoinSpec join;
  ExpressionPtr condition;  // besides the keys, over the left columns, then the right ones; or null
  Schema left;
  Schema right;
  Schema output;
  bool is_final = false;  // the input ends: nothing is given that may have to be taken back
  // Of each side: what nothing happened to for so long is forgotten; 0: nothing is.
  int64_t ttls_us[2] = {};
};

// JoinSide: rows of one side (0: left, 1: right) as bytes. Threads: immutable.
class JoinSide {
 public:
  JoinSide(const JoinDescription& description, size_t side);

  // Appends the row's key; false: it has NULL where NULL equals nothing, so it has no partner.
  bool EncodeKey(const Batch& batch, size_t row, std::string& to) const;
  void EncodeRow(const Batch& batch, size_t row, std::string& to) const {
    row_codec_.Encode(batch.columns, row, to);
  }
  // Appends the row to a batch of this side's columns. kDataLoss: damaged.
  Status DecodeRow(std::string_view bytes, Batch& to, Arena& arena) const;

  const Schema& schema() const { return schema_; }

 private:
  const Schema schema_;
  const RowKeyCodec key_codec_;
  const RowCodec row_codec_;
  std::vector<size_t> never_null_;
};

// Which row of the one side goes with which of the other, by their numbers in two batches.
struct RowPairs {
  static constexpr uint32_t kNone = UINT32_MAX;  // no row: NULLs

  std::vector<uint32_t> left;
  std::vector<uint32_t> right;

  void Add(uint32_t left_row, uint32_t right_row) {
    left.push_back(left_row);
    right.push_back(right_row);
  }
  // `row` is one of `side`, `other` of the other one.
  void AddOf(size_t side, uint32_t row, uint32_t other) {
    left.push_back(side == 0 ? row : other);
    right.push_back(side == 0 ? other : row);
  }
  size_t size() const { return left.size(); }
};

// Some rows of an input, and those of the other side that they may go with.
template <class Candidate>
struct JoinChunk {
  struct Incoming {
    uint32_t row = 0;
    bool has_key = false;  // without one it has no partner
    std::string key;
    size_t candidates_end = 0;  // its candidates begin where those of the row before end
  };
  std::vector<Incoming> incoming;
  std::vector<Candidate> candidates;

  size_t CandidatesBegin(size_t number) const {
    return number == 0 ? 0 : incoming[number - 1].candidates_end;
  }
  // Each row, which is one of `side`, with each of its candidates: pair c is of candidate c.
  RowPairs Pairs(size_t side) const {
    RowPairs pairs;
    for (size_t i = 0; i < incoming.size(); ++i) {
      for (size_t c = CandidatesBegin(i); c < incoming[i].candidates_end; ++c)
        pairs.AddOf(side, incoming[i].row, static_cast<uint32_t>(c));
    }
    return pairs;
  }
};

// JoinPairs: makes rows of pairs, and finds those that meet the condition. Threads: immutable.
class JoinPairs {
 public:
  explicit JoinPairs(const JoinDescription& description);

  bool has_condition() const { return condition_ != nullptr; }

  // By pair, whether the condition holds. `errors` are numbered by pair; it holds for none of them.
  std::vector<uint8_t> Test(const Batch& left,
                            const Batch& right,
                            const RowPairs& pairs,
                            RowErrors& errors) const;
  // The same by candidate of a chunk of an input's rows, `others` being the candidates. A row for
  // which it fails is rejected, once, and marked in `has_failed`. Without a condition all hold.
  template <class Candidate>
  Result<std::vector<uint8_t>> TestIncoming(const RowBatch& rows,
                                            const Batch& others,
                                            const JoinChunk<Candidate>& chunk,
                                            std::vector<uint8_t>& has_failed,
                                            OperatorOutput& out) const {
    if (!has_condition() || chunk.candidates.empty()) {
      return std::vector<uint8_t>(chunk.candidates.size(), 1);
    }
    return TestPairs(rows, others, chunk.Pairs(rows.input), has_failed, out);
  }
  // The rows of the output; of the left side alone, if the join gives no more.
  Batch Combine(const Batch& left, const Batch& right, const RowPairs& pairs) const;

 private:
  Result<std::vector<uint8_t>> TestPairs(const RowBatch& rows,
                                         const Batch& others,
                                         const RowPairs& pairs,
                                         std::vector<uint8_t>& has_failed,
                                         OperatorOutput& out) const;
  Batch Combine(const Batch& left,
                const Batch& right,
                const RowPairs& pairs,
                const Schema& output) const;

  const ExpressionPtr condition_;
  Schema both_;  // what the condition is about
  const Schema output_;
  const size_t left_width_;
};

}  // namespace slipstream::sql
