#include "processor/operators/session_rows.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "processor/expr/state_bytes.h"
#include "processor/operators/open_sessions.h"
#include "processor/operators/row_store.h"
#include "processor/operators/scratch_part.h"
#include "processor/operators/window_assigner.h"

namespace slipstream::sql {
namespace {

constexpr size_t kEmittedRows = 4096;
// What follows the partition in a row's key: time and sequence number.
constexpr size_t kTailBytes = 2 * sizeof(int64_t);

// Of a session nothing is held: its rows are in the store.
struct Nothing {};
using Sessions = OpenSessions<Nothing>;

// As OpenSessions asks for them.
struct Hooks {
  static Nothing Make() { return {}; }
  static void BeforeJoin() {}
  static void Join(Nothing&, Nothing&) {}
  static void Leave(Sessions::Group&, int64_t, Nothing&) {}
  static void Save(Nothing, std::string&) {}
  static Status Restore(std::string_view&, Nothing&) { return {}; }
};

}  // namespace

struct SessionRowsOperator::State final : OperatorState {
  RowStore rows;  // by partition, time and arrival
  Sessions sessions;
  uint64_t next_number = 0;

  // Where what does not fit into memory is.
  std::optional<ScratchPart> spilled_rows;
  std::optional<ScratchPart> spilled_sessions;

  void Trim() {
    rows.Trim();
    sessions.Trim(Hooks(), [](Nothing) {});
  }
};

SessionRowsOperator::SessionRowsOperator(Description description)
    : description_(std::move(description)),
      key_codec_(description_.input, description_.partition_columns),
      row_codec_(description_.input) {}

std::unique_ptr<OperatorState> SessionRowsOperator::MakeState() const {
  return std::make_unique<State>();
}

bool SessionRowsOperator::SpillTo(OperatorState* state, ScratchSpace& space) const {
  constexpr size_t kParts = 2;
  State& mine = *static_cast<State*>(state);
  mine.rows.SpillTo(mine.spilled_rows.emplace(space, 'r', kParts));
  mine.sessions.SpillTo(mine.spilled_sessions.emplace(space, 's', kParts), 0);
  return true;
}

Status SessionRowsOperator::Process(RowBatch rows,
                                    int64_t watermark,
                                    OperatorState* state,
                                    OperatorOutput& out) const {
  const Column& of_input = rows.batch.columns[description_.window.time_column];
  ASSIGN_OR_RETURN(rows, TakeOutFailed(std::move(rows), CheckWindowTimes(of_input), out));
  State& mine = *static_cast<State*>(state);
  const WindowSpec& window = description_.window;
  const WindowTimes times(window.zone.get(), rows.batch.columns[window.time_column]);
  std::vector<uint32_t> late;
  std::string key;
  for (uint32_t row = 0; row < rows.batch.rows; ++row) {
    key.clear();
    key_codec_.Encode(rows.batch.columns, row, key);
    if (mine.sessions.Find(key, times[row], window.size_us, watermark, Hooks()).session ==
        nullptr) {
      late.push_back(row);
      continue;
    }
    mine.rows.Open(key);
    AppendSortable(key, times[row]);
    AppendSequence(key, mine.next_number++);
    std::string bytes;
    row_codec_.Encode(rows.batch.columns, row, bytes);
    mine.rows.Put(key, std::move(bytes));
  }
  mine.Trim();
  return late.empty() ? Status() : out.DropLate(rows, late);
}

Status SessionRowsOperator::Advance(int64_t watermark,
                                    OperatorState* state,
                                    OperatorOutput& out) const {
  State& mine = *static_cast<State*>(state);
  RowBatch rows;
  Arena* arena = nullptr;
  const auto clear = [&] {
    rows = {.batch = MakeBatch(description_.output), .origins = {}, .kinds = {}};
    arena = &rows.batch.NewArena();
  };
  clear();
  const auto give =
      [&](std::string_view partition, int64_t start, const Sessions::Session& session) -> Status {
    mine.rows.Load(partition);
    std::string first(partition);
    AppendSortable(first, start);
    std::string behind(partition);
    AppendSortable(behind, session.end);
    const auto end = mine.rows.Begin(behind);
    for (auto row = mine.rows.Begin(first); row != end; row = mine.rows.Erase(row)) {
      std::vector<Column>& to = rows.batch.columns;
      RETURN_IF_ERROR(row_codec_.Decode(row->second, to, *arena));
      Column* added = &to[to.size() - 3];
      for (const WindowProperty property : kWindowProperties)
        (added++)->ints.push_back(PropertyOf(description_.window, property, start, session.end));
      if (++rows.batch.rows < kEmittedRows) continue;
      RowBatch full = std::move(rows);
      clear();
      RETURN_IF_ERROR(out.Emit(std::move(full)));
    }
    mine.rows.Trim();
    return {};
  };
  RETURN_IF_ERROR(mine.sessions.Fire(watermark, Hooks(), give));
  mine.Trim();
  return rows.batch.rows == 0 ? Status() : out.Emit(std::move(rows));
}

int64_t SessionRowsOperator::NextFiring(const OperatorState* state) const {
  const std::optional<int64_t> due = static_cast<const State*>(state)->sessions.NextDue();
  return due ? WindowMaxTime(*due) : kWatermarkEnd;
}

void SessionRowsOperator::SaveChanges(OperatorState* state, StateSink& sink) const {
  State& mine = *static_cast<State*>(state);
  mine.rows.SaveChanges(sink);
  mine.Trim();
}

Status SessionRowsOperator::Restore(OperatorState* state,
                                    std::string_view key,
                                    std::string_view value) const {
  State& mine = *static_cast<State*>(state);
  if (key.size() < kTailBytes) return DamagedState("key of a session's row");
  const std::string_view partition = key.substr(0, key.size() - kTailBytes);
  std::string_view tail = key.substr(partition.size());
  int64_t time = 0;
  if (!TakeSortable(tail, time) || time > kWindowTimeMax || time < -kWindowTimeMax) {
    return DamagedState("time of a session's row");
  }
  RETURN_IF_ERROR(mine.rows.Restore(key, value));
  mine.sessions.Find(partition, time, description_.window.size_us, kWatermarkNone, Hooks());
  mine.next_number = std::max(mine.next_number, SequenceOf(key) + 1);
  mine.Trim();
  return {};
}

}  // namespace slipstream::sql
