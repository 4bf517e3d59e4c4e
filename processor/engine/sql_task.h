#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "processor/engine/compiled_job.h"
#include "processor/engine/graph_run.h"
#include "processor/runtime/task_program.h"

namespace slipstream::sql {

// SqlTask: one stage of a compiled job on one partition, but for how rows come in: operators →
// sinks and exchanges. Rows that fail go to the dead letters: as the record they came from, once
// for each record; rows made of many records as JSON, with offset −1. Rows that come too late for a
// window go to the late rows of their table, if it has a topic for them, in the same two ways.
class SqlTask : public runtime::TaskProgram, protected GraphRun::Host {
 public:
  int64_t next_tick_us() const override;
  Status Tick(runtime::TaskOutput& out) override;
  Status EndOfInput(runtime::TaskOutput& out) override;
  Status EndEpoch(runtime::TaskOutput& out) override;
  runtime::EventTimeUs sent_watermark() const override;
  runtime::EventTimeUs sink_watermark() const override;
  bool wants_commit() const override { return run_.is_cache_overfull(); }
  Status SaveChanges(runtime::StateWriter& writer) override;
  Status Restore(std::string_view key, std::string_view value) override;
  Counters counters() const override;

 protected:
  // `sources`: where its rows come in; nothing comes from the graph's others. `sends`: the
  // exchanges they may go to; both outlive it. `table`: all its rows are of that one of the job's
  // tables; nullopt: of several, or they come through exchanges.
  SqlTask(const CompiledJob& job,
          std::vector<OperatorGraph::Target> sources,
          const std::vector<size_t>& sends,
          std::optional<size_t> table);

  // Runs `work` with what it gives going to `out`.
  template <class Work>
  Status GiveTo(runtime::TaskOutput& out, const Work& work) {
    out_ = &out;
    run_.SetNow(NowUs());
    Status status = work();
    out_ = nullptr;
    return status.ok() ? run_.scratch_status() : status;
  }
  // Raises the watermark of all its sources.
  Status RaiseAll(int64_t watermark);
  int64_t NowUs() const;

  const CompiledJob& job() const { return job_; }
  GraphRun& run() { return run_; }
  const std::vector<OperatorGraph::Target>& sources() const { return sources_; }
  runtime::TaskOutput& out() { return *out_; }
  Counters& counted() { return counters_; }

  // Of the call at hand, if rows have origins.
  void BeginRecords(std::span<const runtime::InputRecord> records);
  void EndRecords() { records_ = {}; }
  std::span<const runtime::InputRecord> records() const { return records_; }
  void SendToDeadLetters(size_t record, std::string_view error);

 private:
  // GraphRun::Host
  Status WriteToSink(size_t sink, RowBatch rows) override;
  Status SendToExchange(size_t exchange, RowBatch rows) override;
  Status Reject(const RowBatch& from, const Schema& schema, const RowErrors& errors) override;
  Status DropLate(const LateRows& late) override;

  const CompiledJob& job_;
  const std::vector<OperatorGraph::Target> sources_;
  const std::vector<size_t>& sends_;
  const std::optional<size_t> table_;
  GraphRun run_;
  Counters counters_;

  // Of the call at hand.
  std::span<const runtime::InputRecord> records_;
  std::vector<uint8_t> is_dead_;  // by record: it was sent to the dead letters
  std::vector<uint8_t> is_late_;  // likewise, to the late rows
  runtime::TaskOutput* out_ = nullptr;
};

}  // namespace slipstream::sql
