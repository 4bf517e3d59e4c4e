#include "tests/sql/interleaved_run.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "processor/engine/graph_run.h"
#include "tests/sql/saved_state.h"

namespace slipstream::sql {
Result<std::unique_ptr<InterleavedJob>> InterleavedJob::Compile(const JobPlan& plan,
                                                                bool is_bounded) {
  auto job = std::make_unique<InterleavedJob>();
  ASSIGN_OR_RETURN(const ConnectorDefaults defaults, ConnectorDefaults::From(plan.settings));
  for (const InsertPlan& insert : plan.inserts)
    RETURN_IF_ERROR(job->sinks_.Add(insert, defaults, !is_bounded, job->graph_));
  for (const OperatorGraph::Scan& scan : job->graph_.scans()) {
    const bool is_known =
        std::any_of(job->sources_.begin(), job->sources_.end(), [&](const Source& source) {
          return source.table == scan.table;
        });
    if (is_known) continue;
    Source& source = job->sources_.emplace_back();
    source.table = scan.table;
    ASSIGN_OR_RETURN(source.options, ReadKafkaTable(*scan.table, defaults));
    source.topic = source.options.source.topics.front();
    std::vector<size_t> reads;
    for (const OperatorGraph::Scan& other : job->graph_.scans()) {
      if (other.table == scan.table) {
        reads.insert(reads.end(), other.reads.begin(), other.reads.end());
      }
    }
    source.layout = std::make_unique<const ScanLayout>(
        scan.table, reads, true, RecordColumns{.value = source.options.value_columns});
  }
  return job;
}

// One task's life, over and over.
class InterleavedJob::Task final : public GraphRun::Host {
 public:
  Task(const InterleavedJob& job, ScratchStore* scratch)
      : job_(job), scratch_(scratch), watermarks_(job.sources_.size()) {
    output_.Describe(job.sinks_.kafka_sinks(), job.sinks_.file_sinks());
    std::fill(watermarks_.begin(), watermarks_.end(), kWatermarkNone);
    run_ = std::make_unique<GraphRun>(job_.graph_, *this, scratch_);
  }

  Status Process(size_t number, const std::string& line) {
    const Source& source = job_.sources_[number];
    ASSIGN_OR_RETURN(const std::unique_ptr<SourceRows> reader,
                     SourceRows::Create(*source.layout, source.options.value_format));
    const std::vector<std::optional<std::string_view>> records{line};
    SourceRows::Rows rows =
        reader->Read(records, {}, 0, [](const std::vector<uint32_t>&, Batch&) {});
    for (const DecodedRows::Failure& failure : rows.failures)
      output_.lines["dead"].push_back(line + " because " + failure.message);
    const std::vector<int64_t> watermarks = rows.watermarks;
    RETURN_IF_ERROR(PushToScans(job_.graph_, *source.layout, std::move(rows.rows), *run_));
    for (const int64_t watermark : watermarks)
      watermarks_[number] = std::max(watermarks_[number], watermark);
    return Advance(number);
  }
  Status End(size_t number) {
    watermarks_[number] = kWatermarkEnd;
    return Advance(number);
  }
  void Save() { run_->SaveChanges(saved_); }
  Status Restart() {
    run_ = std::make_unique<GraphRun>(job_.graph_, *this, scratch_);
    for (const auto& [key, value] : saved_.entries)
      RETURN_IF_ERROR(run_->Restore(key, value));
    for (const OperatorGraph::Scan& scan : job_.graph_.scans())
      run_->SetWatermark(scan.next, watermarks_[SourceOf(scan)]);
    return {};
  }
  Status scratch_status() const { return run_->scratch_status(); }
  std::string Text() const { return output_.Text(); }

  Status WriteToSink(size_t sink, RowBatch rows) override {
    return job_.sinks_.writers()[sink]->Write(rows, output_);
  }
  Status Reject(const RowBatch&, const Schema&, const RowErrors& errors) override {
    for (const RowErrors::Entry& entry : errors.entries())
      output_.lines["dead"].push_back(entry.message);
    return {};
  }
  Status DropLate(const LateRows& late) override {
    for (uint64_t row = 0; row < late.count; ++row)
      output_.lines["late"].emplace_back("a row");
    return {};
  }

 private:
  size_t SourceOf(const OperatorGraph::Scan& scan) const {
    const auto found =
        std::find_if(job_.sources_.begin(), job_.sources_.end(), [&](const Source& source) {
          return source.table == scan.table;
        });
    return static_cast<size_t>(found - job_.sources_.begin());
  }
  Status Advance(size_t number) {
    for (const OperatorGraph::Scan& scan : job_.graph_.scans()) {
      if (SourceOf(scan) != number) continue;
      RETURN_IF_ERROR(run_->Advance(scan.next, watermarks_[number]));
    }
    return {};
  }

  const InterleavedJob& job_;
  ScratchStore* const scratch_;
  CollectedOutput output_;
  SavedState<StateSink> saved_;
  std::vector<int64_t> watermarks_;  // by source
  std::unique_ptr<GraphRun> run_;
};

Result<std::string> InterleavedJob::Run(const Records& records,
                                        uint64_t seed,
                                        ScratchStore* scratch) const {
  std::mt19937_64 random(seed);
  std::vector<size_t> next(sources_.size(), 0);
  std::vector<size_t> open(sources_.size());
  for (size_t i = 0; i < open.size(); ++i)
    open[i] = i;
  Task task(*this, scratch);
  while (!open.empty()) {
    const size_t turn = seed == 0 ? 0 : random() % open.size();
    const size_t source = open[turn];
    const auto lines = records.find(sources_[source].topic);
    if (lines != records.end() && next[source] < lines->second.size()) {
      RETURN_IF_ERROR(task.Process(source, lines->second[next[source]++]));
    } else {
      RETURN_IF_ERROR(task.End(source));
      open.erase(open.begin() + static_cast<ptrdiff_t>(turn));
    }
    if (seed == 0) continue;
    const uint64_t dice = random() % 4;
    if (dice > 1) continue;
    task.Save();
    if (dice == 0) RETURN_IF_ERROR(task.Restart());
  }
  RETURN_IF_ERROR(task.scratch_status());
  return task.Text();
}

}  // namespace slipstream::sql
