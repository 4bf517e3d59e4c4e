#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "processor/engine/operator_graph.h"
#include "processor/operators/operator.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// GraphRun: the states of a graph's operators in one task, and the rows' way through them.
//
// Watermarks  every scan, VALUES and exchange has its own; an operator's is the least of its
//             inputs', and it decides what goes on of it (Operator::WatermarkBehind). What was
//             pushed before a watermark rises is worked on before it.
// Ownership   owns the states; borrows graph and host, which must outlive it.
// Threads     one at a time.
class GraphRun {
 public:
  // What a run needs from the task around it.
  class Host {
   public:
    virtual ~Host() = default;
    virtual Status WriteToSink(size_t sink, RowBatch rows) = 0;
    // Only of graphs with exchanges.
    virtual Status SendToExchange(size_t exchange, RowBatch rows);
    // Rows of `from` (whose columns are `schema`) failed.
    virtual Status Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) = 0;
    // Rows that came by an input of operator `node` too late for a window.
    struct LateRows {
      size_t node = 0;
      size_t input = 0;
      int64_t watermark = kWatermarkNone;  // the operator's
      uint64_t count = 0;
      // They are these of `from`, whose columns are `schema`; null: there is no more to be had of
      // them than how many they are.
      const RowBatch* from = nullptr;
      const Schema* schema = nullptr;
      const std::vector<uint32_t>* rows = nullptr;
    };
    virtual Status DropLate(const LateRows& late) = 0;
  };
  // `scratch`: where operators put state that does not fit into memory; outlives it. null: nowhere.
  GraphRun(const OperatorGraph& graph, Host& host, ScratchStore* scratch = nullptr);

  // Processing time, for what is pushed and given from here on; microseconds since 1970 UTC.
  void SetNow(int64_t now_us) { now_us_ = now_us; }
  // Where the records of the call at hand stand; lives until the next call of this.
  void SetPlaces(const RowPlaces* places) { places_ = places; }
  Status Push(OperatorGraph::Target target, RowBatch rows);
  // The watermark of one source (the `next` of a scan, an exchange or VALUES) has risen; of those
  // behind it the operators nearer to the source are told first. One that is not higher changes
  // nothing.
  Status Advance(OperatorGraph::Target target, int64_t watermark);
  // That of all scans and VALUES.
  Status Advance(int64_t watermark);
  // An epoch ends: what operators hold back without saving it is given now.
  Status EndEpoch();
  // What came into each operator so far, by its number; bytes as they are in memory.
  using Flow = runtime::TaskProgram::Counters::Flow;
  const std::vector<Flow>& flows() const { return flows_; }
  // When, in processing time, something is to happen though no row comes; kNoTick: nothing is
  // waited for. Then, or later, Tick, which is about the time that was set.
  int64_t NextTick() const;
  Status Tick();
  // The watermark of what goes to an exchange.
  int64_t ExchangeWatermark(size_t exchange) const { return exchange_watermarks_[exchange]; }
  // The least of what operators of this task give to sinks; kWatermarkEnd: none does.
  int64_t SinkWatermark() const;
  // After a restore: nothing is to fire. With kWatermarkEnd also for sources of other tasks, which
  // hold nothing back here.
  void SetWatermark(OperatorGraph::Target target, int64_t watermark);
  void SetWatermark(int64_t watermark);

  // After anything that was pushed, given or saved, before anything comes of it: whether state that
  // is out of memory could be read and written.
  Status scratch_status() const { return scratch_ == nullptr ? Status() : scratch_->status(); }
  // What has changed since the last SaveChanges is more than is to be in memory.
  bool is_cache_overfull() const;

  // Keys begin with the operator's number.
  void SaveChanges(StateSink& sink);
  Status Restore(std::string_view key, std::string_view value);

 private:
  class NodeOutput;

  const OperatorGraph& graph_;
  Host& host_;
  ScratchStore* const scratch_;
  std::vector<std::unique_ptr<ScratchSpace>> spaces_;  // of the operators that have a use for one
  std::vector<std::unique_ptr<OperatorState>> states_;
  std::vector<Flow> flows_;  // by node
  struct Watermarks {
    std::vector<int64_t> inputs;
    int64_t least = kWatermarkNone;
  };
  // Notes the input's watermark; whether the node's has risen with it.
  bool Raise(OperatorGraph::Target target, int64_t watermark);

  std::vector<Watermarks> watermarks_;        // by node
  std::vector<int64_t> exchange_watermarks_;  // of what goes to them
  int64_t now_us_ = 0;
  const RowPlaces* places_ = nullptr;
};

}  // namespace slipstream::sql
