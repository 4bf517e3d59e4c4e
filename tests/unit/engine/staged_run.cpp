#include "tests/unit/engine/staged_run.h"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "processor/runtime/exchange_input.h"
#include "processor/runtime/exchange_output.h"

namespace slipstream::sql {
namespace {

using runtime::EventTimeUs;
using runtime::SenderMark;

void Expect(const Status& status) {
  EXPECT_TRUE(status.ok()) << status.ToString();
}

class MapWriter final : public runtime::StateWriter {
 public:
  explicit MapWriter(std::map<std::string, std::string>& to) : to_(to) {}
  void Put(std::string_view key, std::string_view value) override {
    to_.insert_or_assign(std::string(key), std::string(value));
  }
  void Delete(std::string_view key) override { to_.erase(std::string(key)); }

 private:
  std::map<std::string, std::string>& to_;
};

}  // namespace

class StagedRun::Task final : public runtime::TaskOutput {
 public:
  Task(StagedRun& run, uint8_t input, int32_t partition)
      : run_(run), input_(run.context_.inputs[input]), sender_{input, partition} {
    Restore();
  }

  // Reads up to `count` records; whether there were any, or the end was found.
  bool Read(size_t count) {
    if (is_ended_) return false;
    const std::vector<std::string>& log =
        run_.logs_[input_.topic][static_cast<size_t>(sender_.partition)];
    std::vector<runtime::InputRecord> records;
    for (; count > 0 && position_ < log.size(); --count, ++position_) {
      runtime::InputRecord& record = records.emplace_back();
      record.value = log[position_];
      record.offset = static_cast<int64_t>(position_);
    }
    if (exchanged_ == nullptr) {
      if (!records.empty()) Expect(program_->Process(records, nullptr, *this));
      is_ended_ = position_ == log.size();
    } else {
      for (const runtime::InputRecord& record : records)
        Expect(exchanged_->Take(*record.value, *this));
      is_ended_ = exchanged_->has_ended();
    }
    if (is_ended_) Expect(program_->EndOfInput(*this));
    return is_ended_ || !records.empty();
  }

  void Commit() {
    Expect(program_->EndEpoch(*this));
    output_->Flush();
    MapWriter states(state_);
    Expect(program_->SaveChanges(states));
    MapWriter times(times_);
    if (exchanged_ != nullptr) exchanged_->SaveChanges(times);
    watermark_ = program_->watermark();
    committed_position_ = position_;
    was_ended_ = is_ended_;
    lines_.insert(lines_.end(), staged_lines_.begin(), staged_lines_.end());
    staged_lines_.clear();
    Deliver();
  }

  // Everything since the last commit is gone.
  void Crash() {
    staged_.Clear();
    staged_lines_.clear();
    late_ += program_->counters().rows_late;
    Restore();
  }

  bool is_done() const { return was_ended_; }
  const std::vector<std::string>& lines() const { return lines_; }
  uint64_t late_rows() const { return late_ + program_->counters().rows_late; }

  // runtime::TaskOutput
  void ToKafka(size_t, const runtime::OutputRecord&) override {
    ADD_FAILURE() << "a sink that does not print";
  }
  void ToFile(size_t, std::string_view, std::string_view, uint64_t) override {
    ADD_FAILURE() << "a sink that does not print";
  }
  void ToExchange(size_t exchange, uint64_t hash, std::string_view row) override {
    output_->Add(exchange, hash, row);
  }
  void ToPrint(size_t, std::string_view line) override { staged_lines_.emplace_back(line); }
  void ToDeadLetters(const runtime::InputRecord& record, std::string_view error) override {
    ADD_FAILURE() << record.value.value_or("") << ": " << error;
  }
  void ToLateRows(size_t, const runtime::InputRecord& record, std::string_view) override {
    ADD_FAILURE() << record.value.value_or("") << " is late";
  }

 private:
  void Restore() {
    const runtime::JobProgram& program = *run_.context_.program;
    exchanged_.reset();
    program_ = input_.source
                   ? program.MakeSourceTask(*input_.source, input_.topic, sender_.partition)
                   : program.MakeStageTask(input_.stage, sender_.partition);
    for (const auto& [key, value] : state_)
      Expect(program_->Restore(key, value));
    if (input_.source) {
      program_->RestoreWatermark(watermark_);
    } else {
      exchanged_ = std::make_unique<runtime::ExchangeInput>(
          run_.context_.stages[input_.stage].exchanges, *program_);
      for (const auto& [key, value] : times_)
        Expect(exchanged_->Restore(key, value));
      exchanged_->FinishRestore();
    }
    output_ = std::make_unique<runtime::ExchangeOutput>(run_.context_, sender_, staged_);
    position_ = committed_position_;
    is_ended_ = was_ended_;
  }

  // The staged records, then the mark, as one transaction.
  void Deliver() {
    const Status delivered =
        staged_.ForEach([&](size_t output, const kafka::OutgoingRecord& record) -> Status {
          run_.logs_[run_.context_.output_topics[output]][static_cast<size_t>(record.partition)]
              .emplace_back(*record.value);
          return {};
        });
    Expect(delivered);
    staged_.Clear();
    const SenderMark mark{.sender = sender_,
                          .sender_count = static_cast<uint32_t>(input_.partition_count),
                          .watermark = is_ended_ ? runtime::kEndOfTime : program_->sent_watermark(),
                          .is_done = is_ended_};
    for (const uint32_t stage : input_.feeds) {
      const std::string& topic = run_.context_.inputs[run_.context_.stages[stage].input].topic;
      for (std::vector<std::string>& log : run_.logs_[topic])
        log.push_back(runtime::EncodeSenderMarks({&mark, 1}));
    }
  }

  StagedRun& run_;
  const runtime::JobInput& input_;
  const runtime::SenderId sender_;
  std::unique_ptr<runtime::TaskProgram> program_;
  std::unique_ptr<runtime::ExchangeInput> exchanged_;
  runtime::StagedRecords staged_;
  std::unique_ptr<runtime::ExchangeOutput> output_;
  size_t position_ = 0;
  bool is_ended_ = false;
  std::vector<std::string> staged_lines_;
  uint64_t late_ = 0;

  // As committed.
  std::map<std::string, std::string> state_;
  std::map<std::string, std::string> times_;
  EventTimeUs watermark_ = runtime::kNoWatermark;
  size_t committed_position_ = 0;
  bool was_ended_ = false;
  std::vector<std::string> lines_;
};

StagedRun::StagedRun(const runtime::JobProgram& program,
                     const Input& input,
                     int32_t partitions,
                     uint64_t seed)
    : context_(MakeJobContext(program, {.job_name = "staged"}).value()), random_(seed) {
  for (runtime::JobInput& of : context_.inputs) {
    const bool is_single = !of.source && program.repartitions()[of.stage - 1].is_single;
    of.partition_count = is_single ? 1 : partitions;
    logs_[of.topic].resize(static_cast<size_t>(of.partition_count));
  }
  for (const auto& [topic, records] : input) {
    if (!logs_.contains(topic)) continue;  // the job does not read it
    for (const auto& [partition, value] : records)
      logs_[topic].at(static_cast<size_t>(partition)).push_back(value);
  }
  for (uint8_t i = 0; i < context_.inputs.size(); ++i) {
    for (int32_t p = 0; p < context_.inputs[i].partition_count; ++p)
      tasks_.push_back(std::make_unique<Task>(*this, i, p));
  }
}

StagedRun::~StagedRun() = default;

void StagedRun::Run() {
  const auto is_done = [](const auto& task) { return task->is_done(); };
  // Far more steps than any order needs.
  for (size_t steps = 0; !std::all_of(tasks_.begin(), tasks_.end(), is_done); ++steps) {
    ASSERT_LT(steps, 1'000'000U) << "the job does not end";
    Task& task = *tasks_[random_() % tasks_.size()];
    switch (random_() % 8) {
      case 0:
        task.Commit();
        break;
      case 1:
        if (random_() % 4 != 0) break;
        task.Crash();
        ++crashes_;
        break;
      default:
        task.Read(1 + random_() % 7);
        break;
    }
  }
}

std::vector<std::string> StagedRun::Lines() const {
  std::vector<std::string> all;
  for (const auto& task : tasks_)
    all.insert(all.end(), task->lines().begin(), task->lines().end());
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::string> StagedRun::Result() const {
  std::map<std::string, int> counts;
  for (const std::string& line : Lines()) {
    const bool is_added = line.starts_with("+");
    counts[line.substr(2)] += is_added ? 1 : -1;
  }
  std::vector<std::string> rows;
  for (const auto& [row, count] : counts) {
    EXPECT_GE(count, 0) << row << " was taken back and never given";
    for (int i = 0; i < count; ++i)
      rows.push_back(row);
  }
  return rows;
}

uint64_t StagedRun::late_rows() const {
  uint64_t rows = 0;
  for (const auto& task : tasks_)
    rows += task->late_rows();
  return rows;
}

size_t StagedRun::exchanged_rows() const {
  size_t rows = 0;
  for (const runtime::JobInput& input : context_.inputs) {
    if (input.source) continue;
    for (const std::vector<std::string>& log : logs_.at(input.topic)) {
      for (const std::string& record : log)
        rows += runtime::ParseRepartitionRecord(record).value().rows.size();
    }
  }
  return rows;
}

}  // namespace slipstream::sql
