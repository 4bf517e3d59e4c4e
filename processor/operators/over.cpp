#include "processor/operators/over.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "common/check/check.h"
#include "processor/expr/evaluator.h"
#include "processor/expr/state_bytes.h"
#include "processor/operators/due_keys.h"
#include "processor/operators/group_cache.h"
#include "processor/operators/row_store.h"
#include "processor/operators/scratch_part.h"

namespace slipstream::sql {
namespace {

// Of aggregates as they were saved once, without the head that SaveGroup puts before them.
constexpr uint8_t kHeadlessVersion = 1;
// First bytes of saved keys.
constexpr char kRowKey = 'r';
constexpr char kAggregateKey = 'a';
// Of keys in the space, as those are, and this.
constexpr char kVisitKey = 'v';

int64_t RowsKept(const OverOperator::Description& description) {
  uint64_t rows = 0;
  if (description.frame.is_rows && description.frame.preceding) {
    rows = static_cast<uint64_t>(*description.frame.preceding);
  }
  for (const LagCall& lag : description.lags)
    rows = std::max(rows, lag.rows);
  return static_cast<int64_t>(rows);
}

std::string WithHead(std::string_view aggregates) {
  std::string value;
  PutByte(value, kGroupVersion);
  PutInt64(value, 0);
  return value.append(aggregates);
}

// Puts one byte before the keys of rows.
class RowSink final : public StateSink {
 public:
  explicit RowSink(StateSink& sink) : sink_(sink) {}
  void Put(std::string_view key, std::string_view value) override {
    sink_.Put(std::string(1, kRowKey).append(key), value);
  }
  void Delete(std::string_view key) override { sink_.Delete(std::string(1, kRowKey).append(key)); }

 private:
  StateSink& sink_;
};

}  // namespace

struct OverOperator::State final : OperatorState {
  explicit State(const AggregateLayout& layout) : running(layout) {}

  RowStore rows;                       // by partition, order and arrival
  DueKeys visits;                      // when to look at which partition
  GroupCache running;                  // of frames without a begin
  std::vector<Group*> changed;         // of those, since the last save
  std::vector<std::string> forgotten;  // likewise: saved keys that are gone
  int64_t given = kWatermarkNone;      // rows up to here were given
  uint64_t next_sequence = 0;

  // Where what does not fit into memory is.
  std::optional<ScratchPart> spilled_rows;
  std::optional<ScratchPart> spilled_visits;
  std::optional<ScratchPart> spilled_running;

  void Trim() {
    rows.Trim();
    visits.Trim();
    running.Trim();
  }
};

struct OverOperator::Partition {
  Batch batch;
  std::vector<int64_t> times;            // order_is_time only
  std::vector<std::string_view> orders;  // encoded sort keys
  std::vector<RowStore::Map::const_iterator> entries;
  size_t first_due = 0;  // rows before it were given earlier
  AggregateLayout::Inputs inputs;
  std::vector<Column> lag_values;
  std::vector<Column> lag_fallbacks;
  // Of each row, if there are lags: how many rows are before its peers, and how many peers, plus 1.
  std::vector<uint64_t> ranks;
  std::vector<uint64_t> dense_ranks;
};

struct OverOperator::Results {
  explicit Results(const Schema& output) : batch(MakeBatch(output)), arena(&batch.NewArena()) {}

  Batch batch;
  Arena* arena;
  std::vector<std::pair<int64_t, uint64_t>> order;  // time and arrival of each row
};

OverOperator::OverOperator(Description description)
    : description_(std::move(description)),
      layout_(description_.aggregates),
      partition_codec_(description_.input, description_.partition_columns),
      sort_codec_(description_.sort_keys),
      row_codec_(description_.input),
      rows_kept_(RowsKept(description_)) {}

std::unique_ptr<OperatorState> OverOperator::MakeState() const {
  return std::make_unique<State>(layout_);
}

bool OverOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  State& mine = *static_cast<State*>(state);
  const size_t parts = keeps_running() ? 3 : 2;
  mine.rows.SpillTo(mine.spilled_rows.emplace(space, kRowKey, parts));
  mine.visits.SpillTo(mine.spilled_visits.emplace(space, kVisitKey, parts));
  if (keeps_running()) {
    mine.running.SpillTo(mine.spilled_running.emplace(space, kAggregateKey, parts));
  }
  return true;
}

int64_t OverOperator::TimeOf(const Batch& batch, size_t row) const {
  if (!description_.order_is_time) return kWatermarkEnd;
  return batch.columns[description_.sort_keys.front().column].ints[row];
}

// Rows whose results could not be computed are found when they come, not when they are given.
RowErrors OverOperator::Check(Batch& batch) const {
  RowErrors errors;
  layout_.Compute(batch, errors);
  for (const LagCall& lag : description_.lags) {
    Evaluate(*lag.value, batch, batch.NewArena(), errors);
    Evaluate(*lag.fallback, batch, batch.NewArena(), errors);
  }
  if (!description_.order_is_time) return errors;
  const Column& times = batch.columns[description_.sort_keys.front().column];
  for (size_t row = 0; row < batch.rows; ++row) {
    if (times.is_null(row)) errors.Add(row, "the time that OVER is ordered by is NULL");
  }
  return errors;
}

Status OverOperator::Process(RowBatch rows,
                             int64_t watermark,
                             OperatorState* state,
                             OperatorOutput& out) const {
  const RowErrors errors = Check(rows.batch);
  ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), errors, out));
  State& mine = *static_cast<State*>(state);
  std::vector<uint32_t> late;
  for (size_t row = 0; row < rows.batch.rows; ++row) {
    const int64_t time = TimeOf(rows.batch, row);
    if (time <= watermark && description_.order_is_time) {
      late.push_back(static_cast<uint32_t>(row));
      continue;
    }
    std::string key;
    partition_codec_.Encode(rows.batch.columns, row, key);
    mine.visits.Add(time, key);
    mine.rows.Load(key);
    sort_codec_.Encode(rows.batch.columns, row, key);
    AppendSequence(key, mine.next_sequence++);
    std::string encoded;
    row_codec_.Encode(rows.batch.columns, row, encoded);
    mine.rows.Put(key, std::move(encoded));
  }
  mine.Trim();
  if (!late.empty()) RETURN_IF_ERROR(out.DropLate(rows, late));
  return {};
}

Status OverOperator::Advance(int64_t watermark, OperatorState* state, OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  std::set<std::string> due;
  while (!mine.visits.empty() && mine.visits.first().due <= watermark)
    due.insert(mine.visits.Pop().key);
  Results results(description_.output);
  for (const std::string& key : due) {
    RETURN_IF_ERROR(Fire(mine, key, watermark, results));
    mine.Trim();
  }
  mine.given = watermark;
  if (results.batch.rows == 0) return {};
  // One partition's are in the order of all sort keys already.
  if (!description_.order_is_time || due.size() == 1) {
    return out.Emit({.batch = std::move(results.batch), .origins = {}, .kinds = {}});
  }
  std::vector<uint32_t> order(results.batch.rows);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return results.order[a] < results.order[b];
  });
  return out.Emit({.batch = Gather(results.batch, order), .origins = {}, .kinds = {}});
}

Status OverOperator::Fire(State& state,
                          const std::string& key,
                          int64_t watermark,
                          Results& results) const {
  Partition partition;
  RETURN_IF_ERROR(Load(state, key, watermark, partition));
  if (partition.first_due < partition.batch.rows) {
    RETURN_IF_ERROR(is_unbounded() ? ComputeRunning(state, key, partition, results)
                                   : ComputeFrames(partition, results));
  }
  // Rows of a RANGE are forgotten even if no others follow.
  const bool is_range = !description_.frame.is_rows && !is_unbounded();
  if (is_range && watermark != kWatermarkEnd && !partition.times.empty()) {
    const int64_t over_at = partition.times.back() + *description_.frame.preceding + 1;
    if (over_at > watermark) state.visits.Add(over_at, key);
  }
  Prune(state, partition, watermark);
  return {};
}

Status OverOperator::Load(State& state,
                          const std::string& key,
                          int64_t watermark,
                          Partition& partition) const {
  partition.batch = MakeBatch(description_.input);
  Batch& batch = partition.batch;
  Arena& arena = batch.NewArena();
  state.rows.Load(key);
  const auto end = state.rows.End(key);
  for (auto entry = state.rows.Begin(key); entry != end; ++entry) {
    RETURN_IF_ERROR(row_codec_.Decode(entry->second, batch.columns, arena));
    const int64_t time = TimeOf(batch, batch.rows);
    if (time > watermark) {
      for (Column& column : batch.columns)
        column.Resize(batch.rows);
      break;
    }
    ++batch.rows;
    if (description_.order_is_time) {
      partition.times.push_back(time);
      if (time <= state.given) partition.first_due = batch.rows;
    }
    constexpr size_t kSequenceBytes = 8;
    partition.orders.push_back(
        std::string_view(entry->first)
            .substr(key.size(), entry->first.size() - key.size() - kSequenceBytes));
    partition.entries.push_back(entry);
  }
  RowErrors none;  // what fails was taken out when it came
  partition.inputs = layout_.Compute(batch, none);
  for (const LagCall& lag : description_.lags) {
    partition.lag_values.push_back(Evaluate(*lag.value, batch, arena, none));
    partition.lag_fallbacks.push_back(Evaluate(*lag.fallback, batch, arena, none));
  }
  if (description_.lags.empty()) return {};
  for (size_t row = 0; row < batch.rows; ++row) {
    const bool is_peer = row > 0 && partition.orders[row] == partition.orders[row - 1];
    partition.ranks.push_back(is_peer ? partition.ranks.back() : row + 1);
    const uint64_t distinct = row == 0 ? 0 : partition.dense_ranks.back();
    partition.dense_ranks.push_back(is_peer ? distinct : distinct + 1);
  }
  return {};
}

Status OverOperator::ComputeRunning(State& state,
                                    const std::string& key,
                                    Partition& partition,
                                    Results& results) const {
  if (!keeps_running()) {
    for (size_t row = partition.first_due; row < partition.batch.rows; ++row)
      Append(partition, row, nullptr, results);
    return {};
  }
  Group& running = state.running.Find(key);
  if (!running.is_changed) {
    running.is_changed = true;
    state.changed.push_back(&running);
  }
  for (size_t first = partition.first_due; first < partition.batch.rows;) {
    size_t last = first + 1;
    while (!description_.frame.is_rows && last < partition.batch.rows &&
           partition.orders[last] == partition.orders[first]) {
      ++last;
    }
    std::vector<uint32_t> peers(last - first);
    std::iota(peers.begin(), peers.end(), static_cast<uint32_t>(first));
    layout_.Update(std::vector<std::byte*>(peers.size(), running.state), peers, partition.inputs);
    for (; first < last; ++first)
      Append(partition, first, running.state, results);
  }
  return {};
}

Status OverOperator::ComputeFrames(Partition& partition, Results& results) const {
  const int64_t preceding = *description_.frame.preceding;
  const auto bytes = std::make_unique<std::byte[]>(layout_.state_bytes());
  layout_.Init(bytes.get());
  size_t begin = 0;  // rows [begin, end) are counted in the state
  size_t end = 0;
  size_t frame_begin = 0;
  for (size_t row = partition.first_due; row < partition.batch.rows; ++row) {
    size_t frame_end = row + 1;
    if (description_.frame.is_rows) {
      frame_begin = row - std::min(row, static_cast<size_t>(preceding));
    } else {
      while (partition.times[frame_begin] < partition.times[row] - preceding)
        ++frame_begin;
      while (frame_end < partition.batch.rows &&
             partition.times[frame_end] == partition.times[row]) {
        ++frame_end;
      }
    }
    if (frame_begin != begin) {
      layout_.Destroy(bytes.get());
      layout_.Init(bytes.get());
      begin = frame_begin;
      end = frame_begin;
    }
    std::vector<uint32_t> added(frame_end - std::min(end, frame_end));
    std::iota(added.begin(), added.end(), static_cast<uint32_t>(end));
    layout_.Update(std::vector<std::byte*>(added.size(), bytes.get()), added, partition.inputs);
    end = std::max(end, frame_end);
    Append(partition, row, bytes.get(), results);
  }
  layout_.Destroy(bytes.get());
  return {};
}

void OverOperator::Append(const Partition& partition,
                          size_t row,
                          const std::byte* aggregates,
                          Results& results) const {
  std::vector<Column>& to = results.batch.columns;
  const size_t width = description_.input.size();
  for (size_t i = 0; i < width; ++i)
    to[i].AppendFrom(partition.batch.columns[i], row);
  layout_.Finish(aggregates, to, width, *results.arena);
  if (!description_.lags.empty()) AppendPlaces(partition, row, results);
  if (results.batch.keep_alive.empty() ||
      results.batch.keep_alive.back() != partition.batch.keep_alive.front()) {
    results.batch.keep_alive.push_back(partition.batch.keep_alive.front());
  }
  results.order.emplace_back(description_.order_is_time ? partition.times[row] : 0,
                             SequenceOf(partition.entries[row]->first));
  ++results.batch.rows;
}

namespace {

// Parts differ by one row at most; the greater ones come first.
uint64_t PartOf(uint64_t row, uint64_t rows, uint64_t parts) {
  const uint64_t small = rows / parts;
  const uint64_t greater = rows % parts;
  const uint64_t in_greater = greater * (small + 1);
  if (row < in_greater) return row / (small + 1) + 1;
  return greater + (row - in_greater) / small + 1;
}

}  // namespace

void OverOperator::AppendPlaces(const Partition& partition, size_t row, Results& results) const {
  using Kind = LagCall::Kind;
  const size_t rows = partition.batch.rows;
  const size_t first = description_.input.size() + description_.aggregates.size();
  for (size_t i = 0; i < description_.lags.size(); ++i) {
    const LagCall& lag = description_.lags[i];
    Column& to = results.batch.columns[first + i];
    switch (lag.kind) {
      case Kind::kLag:
      case Kind::kLead: {
        const bool is_lag = lag.kind == Kind::kLag;
        const bool is_there = is_lag ? lag.rows <= row : lag.rows < rows - row;
        const size_t other = !is_there ? row : is_lag ? row - lag.rows : row + lag.rows;
        to.AppendFrom(is_there ? partition.lag_values[i] : partition.lag_fallbacks[i], other);
        break;
      }
      case Kind::kRank:
        to.Append(static_cast<int64_t>(partition.ranks[row]), *results.arena);
        break;
      case Kind::kDenseRank:
        to.Append(static_cast<int64_t>(partition.dense_ranks[row]), *results.arena);
        break;
      case Kind::kPercentRank: {
        const double above = static_cast<double>(partition.ranks[row] - 1);
        to.Append(rows == 1 ? 0.0 : above / static_cast<double>(rows - 1), *results.arena);
        break;
      }
      case Kind::kCumeDist: {
        size_t end = row + 1;
        while (end < rows && partition.ranks[end] == partition.ranks[row])
          ++end;
        to.Append(static_cast<double>(end) / static_cast<double>(rows), *results.arena);
        break;
      }
      case Kind::kNtile:
        to.Append(static_cast<int64_t>(PartOf(row, rows, lag.rows)), *results.arena);
        break;
    }
  }
}

void OverOperator::Prune(State& state, const Partition& partition, int64_t watermark) const {
  const auto count = static_cast<int64_t>(partition.batch.rows);
  int64_t gone = std::max<int64_t>(count - rows_kept_, 0);
  if (!description_.frame.is_rows && !is_unbounded()) {
    // A later row's frame begins after the watermark less its length.
    const auto reached = std::upper_bound(
        partition.times.begin(), partition.times.end(), watermark - *description_.frame.preceding);
    gone = std::min<int64_t>(gone, reached - partition.times.begin());
  }
  if (watermark == kWatermarkEnd) gone = count;
  for (int64_t row = 0; row < gone; ++row)
    state.rows.Erase(partition.entries[static_cast<size_t>(row)]);
}

// Rows that wait for their time are given first.
bool OverOperator::Forget(OperatorState* state, std::string_view key) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.Load(key);
  const auto end = mine.rows.End(key);
  if (mine.rows.Begin(key) != end) {
    Batch last = MakeBatch(description_.input);
    const Status decoded = row_codec_.Decode(std::prev(end)->second, last.columns, last.NewArena());
    SLIPSTREAM_CHECK(decoded.ok(), "{}", decoded.ToString());  // it was encoded here, or checked
    if (TimeOf(last, 0) > mine.given) return false;
    mine.rows.EraseAll(key);
  }
  if (!keeps_running()) return true;
  Group& running = mine.running.Find(key);
  if (running.is_saved) mine.forgotten.push_back(running.key);
  if (running.is_changed) std::erase(mine.changed, &running);
  mine.running.Remove(running);
  return true;
}

// Saved keys: 'r' and the row's key; 'a' and the partition, with a group's value.
void OverOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  RowSink rows(sink);
  mine.rows.SaveChanges(rows);
  for (const std::string& key : mine.forgotten)
    sink.Delete(std::string(1, kAggregateKey).append(key));
  mine.forgotten.clear();
  for (Group* group : mine.changed) {
    std::string value;
    SaveGroup(layout_, *group, value);
    sink.Put(std::string(1, kAggregateKey).append(group->key), value);
    group->is_changed = false;
    mine.running.OnSaved(*group, value);
  }
  mine.changed.clear();
  mine.Trim();
}

Status OverOperator::Restore(OperatorState* state,
                             std::string_view key,
                             std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  if (key.empty()) return DamagedState("key of OVER");
  const char kind = key.front();
  key.remove_prefix(1);
  if (kind == kAggregateKey) {
    if (!keeps_running()) return {};  // of none, as they were saved once
    const bool is_headless = !value.empty() && value.front() == kHeadlessVersion;
    return mine.running.Restore(key, is_headless ? WithHead(value.substr(1)) : std::string(value));
  }
  if (kind != kRowKey) return DamagedState("key of OVER");
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  Batch row = MakeBatch(description_.input);
  RETURN_IF_ERROR(row_codec_.Decode(value.substr(1), row.columns, row.NewArena()));
  std::string partition;
  partition_codec_.Encode(row.columns, 0, partition);
  mine.visits.Add(TimeOf(row, 0), partition);
  mine.next_sequence = std::max(mine.next_sequence, SequenceOf(key) + 1);
  return {};
}

int64_t OverOperator::NextFiring(const OperatorState* state) const {
  const State& mine = *static_cast<const State*>(state);
  return mine.visits.empty() ? kWatermarkEnd : mine.visits.first().due;
}

void OverOperator::RestoreWatermark(OperatorState* state, int64_t watermark) const {
  State& mine = *static_cast<State*>(state);
  mine.given = watermark;
  // Of a RANGE rows may be forgotten by and by. Otherwise what was given waits for nothing.
  if (!description_.frame.is_rows && !is_unbounded()) return;
  while (!mine.visits.empty() && mine.visits.first().due <= watermark)
    mine.visits.Pop();
}

}  // namespace slipstream::sql
