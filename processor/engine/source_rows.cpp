#include "processor/engine/source_rows.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "processor/expr/evaluator.h"

namespace slipstream::sql {

Result<std::unique_ptr<SourceRows>> SourceRows::Create(const ScanLayout& layout,
                                                       const ValueFormat& value_format,
                                                       const ValueFormat& key_format) {
  Result<std::unique_ptr<RecordDecoder>> values = MakeDecoder(layout.value_fields(), value_format);
  if (!values.ok()) return values.status().WithContext("table " + layout.table().name);
  std::unique_ptr<RecordDecoder> key_decoder;
  if (!layout.key_fields().wanted.empty()) {
    Result<std::unique_ptr<RecordDecoder>> keys = MakeDecoder(layout.key_fields(), key_format);
    if (!keys.ok()) return keys.status().WithContext("table " + layout.table().name + ": key");
    key_decoder = *std::move(keys);
  }
  return std::unique_ptr<SourceRows>(
      new SourceRows(layout, *std::move(values), std::move(key_decoder)));
}

std::unique_ptr<SourceRows> SourceRows::Of(const ScanLayout& layout,
                                           std::unique_ptr<RecordDecoder> decoder) {
  return std::unique_ptr<SourceRows>(new SourceRows(layout, std::move(decoder), nullptr));
}

SourceRows::SourceRows(const ScanLayout& layout,
                       std::unique_ptr<RecordDecoder> decoder,
                       std::unique_ptr<RecordDecoder> key_decoder)
    : layout_(layout), decoder_(std::move(decoder)), key_decoder_(std::move(key_decoder)) {}

SourceRows::Rows SourceRows::Read(Payloads values,
                                  Payloads keys,
                                  int64_t now_us,
                                  const FillColumns& fill) {
  DecodedRows decoded = decoder_->Decode(values);
  Rows rows{.rows = {.batch = std::move(decoded.batch),
                     .origins = std::move(decoded.origins),
                     .kinds = std::move(decoded.kinds)},
            .failures = std::move(decoded.failures),
            .skipped = decoded.skipped,
            .watermarks = {},
            .error = std::move(decoded.error)};
  if (layout_.is_upsert()) AddDeletes(values, rows);
  if (key_decoder_ != nullptr) AddKeys(keys, rows);
  rows.rows.batch.now_us = now_us;
  fill(rows.rows.origins, rows.rows.batch);
  RowErrors errors;
  AddComputed(rows, errors);
  AddWatermarks(rows, errors);
  if (!errors.empty()) TakeOut(errors, rows);
  const auto before = [](const auto& a, const auto& b) { return a.record < b.record; };
  if (!std::is_sorted(rows.failures.begin(), rows.failures.end(), before)) {
    std::stable_sort(rows.failures.begin(), rows.failures.end(), before);
  }
  return rows;
}

void SourceRows::AddDeletes(Payloads values, Rows& rows) {
  RowBatch& batch = rows.rows;
  const auto none = static_cast<uint32_t>(batch.batch.rows);
  std::vector<uint32_t> places;  // of the rows there are; `none`: of one without values
  std::vector<uint32_t> origins;
  std::vector<RowKind> kinds;
  size_t row = 0;
  for (uint32_t record = 0; record < values.size(); ++record) {
    for (; row < batch.origins.size() && batch.origins[row] == record; ++row) {
      places.push_back(static_cast<uint32_t>(row));
      origins.push_back(record);
      kinds.push_back(RowKind::kUpdateAfter);
    }
    if (values[record]) continue;
    places.push_back(none);
    origins.push_back(record);
    kinds.push_back(RowKind::kDelete);
  }
  if (places.size() != none) {
    for (Column& column : batch.batch.columns) {
      column.AppendNull();
      column = Gather(column, places);
    }
  }
  batch.batch.rows = places.size();
  batch.origins = std::move(origins);
  batch.kinds = std::move(kinds);
}

void SourceRows::AddKeys(Payloads keys, Rows& rows) {
  DecodedRows decoded = key_decoder_->Decode(keys);
  if (rows.error.ok()) rows.error = decoded.error;
  for (const DecodedRows::Failure& failure : decoded.failures)
    rows.failures.push_back({.record = failure.record, .message = "key: " + failure.message});
  // Both lists of origins ascend. A key is one row; of several the first counts.
  std::vector<uint32_t> good;    // rows whose record's key is no failure
  std::vector<uint32_t> places;  // of their keys' rows; the number of those for a missing key
  const auto none = static_cast<uint32_t>(decoded.batch.rows);
  size_t key = 0;
  size_t failure = 0;
  for (uint32_t row = 0; row < rows.rows.batch.rows; ++row) {
    const uint32_t origin = rows.rows.origins[row];
    while (failure < decoded.failures.size() && decoded.failures[failure].record < origin)
      ++failure;
    if (failure < decoded.failures.size() && decoded.failures[failure].record == origin) continue;
    while (key < decoded.origins.size() && decoded.origins[key] < origin)
      ++key;
    const bool has_key = key < decoded.origins.size() && decoded.origins[key] == origin;
    if (!has_key && layout_.is_upsert()) {
      rows.failures.push_back({.record = origin, .message = "a record without a key"});
      continue;
    }
    good.push_back(row);
    places.push_back(has_key ? static_cast<uint32_t>(key) : none);
  }
  if (good.size() != rows.rows.batch.rows) rows.rows = Gather(rows.rows, good);
  for (Column& column : decoded.batch.columns) {
    column.AppendNull();
    rows.rows.batch.columns.push_back(Gather(column, places));
  }
  for (std::shared_ptr<const void>& bytes : decoded.batch.keep_alive)
    rows.rows.batch.keep_alive.push_back(std::move(bytes));
}

void SourceRows::AddComputed(Rows& rows, RowErrors& errors) {
  if (layout_.computed().empty()) return;
  Batch& batch = rows.rows.batch;
  Arena& arena = batch.NewArena();
  for (const ScanLayout::Computed& computed : layout_.computed()) {
    RowErrors own;
    batch.columns.push_back(Evaluate(*computed.expression, batch, arena, own));
    batch.columns.back().type = computed.type;
    for (const RowErrors::Entry& entry : own.entries())
      errors.Add(entry.row, "column " + computed.name + ": " + entry.message);
  }
}

void SourceRows::AddWatermarks(Rows& rows, RowErrors& errors) {
  if (!layout_.watermark()) return;
  const Batch& batch = rows.rows.batch;
  const Column& times = batch.columns[layout_.time_position()];
  if (times.has_nulls()) {
    const std::string& name = layout_.schema()[layout_.time_position()].name;
    for (size_t row = 0; row < batch.rows; ++row) {
      if (times.is_null(row)) errors.Add(row, "the event time " + name + " is NULL");
    }
  }
  const Column watermarks =
      Evaluate(*layout_.watermark(), batch, rows.rows.batch.NewArena(), errors);
  rows.watermarks = watermarks.ints;
  for (size_t row = 0; row < batch.rows; ++row) {
    if (watermarks.is_null(row)) rows.watermarks[row] = kWatermarkNone;
  }
}

void SourceRows::TakeOut(const RowErrors& errors, Rows& rows) {
  const std::vector<uint32_t>& origins = rows.rows.origins;
  std::vector<DecodedRows::Failure> failures;
  for (const RowErrors::Entry& entry : errors.entries())
    failures.push_back({.record = origins[entry.row], .message = entry.message});
  std::stable_sort(failures.begin(), failures.end(), [](const auto& a, const auto& b) {
    return a.record < b.record;
  });
  failures.erase(std::unique(failures.begin(),
                             failures.end(),
                             [](const auto& a, const auto& b) { return a.record == b.record; }),
                 failures.end());
  // Both lists ascend; a record has one failure, and all its rows go.
  std::vector<uint32_t> good;
  size_t next = 0;
  for (uint32_t row = 0; row < rows.rows.batch.rows; ++row) {
    while (next < failures.size() && failures[next].record < origins[row])
      ++next;
    if (next == failures.size() || failures[next].record != origins[row]) good.push_back(row);
  }
  if (!rows.watermarks.empty()) {
    std::vector<int64_t> watermarks;
    watermarks.reserve(good.size());
    for (uint32_t row : good)
      watermarks.push_back(rows.watermarks[row]);
    rows.watermarks = std::move(watermarks);
  }
  rows.rows = Gather(rows.rows, good);
  rows.failures.insert(rows.failures.end(),
                       std::make_move_iterator(failures.begin()),
                       std::make_move_iterator(failures.end()));
}

Status PushToScans(const OperatorGraph& graph,
                   const ScanLayout& layout,
                   RowBatch rows,
                   GraphRun& run) {
  if (rows.batch.rows == 0) return {};
  std::vector<const OperatorGraph::Scan*> scans;
  for (const OperatorGraph::Scan& scan : graph.scans()) {
    if (scan.table.get() == &layout.table()) scans.push_back(&scan);
  }
  for (size_t i = 0; i < scans.size(); ++i) {
    const OperatorGraph::Scan& scan = *scans[i];
    RowBatch given;
    given.batch.rows = rows.batch.rows;
    given.batch.keep_alive = rows.batch.keep_alive;
    // The last scan may take the columns themselves, unless it reads one of them twice.
    const bool is_last = i + 1 == scans.size();
    for (size_t column : scan.reads) {
      const size_t position = layout.PositionOf(column);
      const bool is_free = is_last && std::count(scan.reads.begin(), scan.reads.end(), column) == 1;
      given.batch.columns.push_back(is_free ? std::move(rows.batch.columns[position])
                                            : rows.batch.columns[position]);
    }
    // NOLINTBEGIN(clang-analyzer-cplusplus.Move): after the last scan there is none
    given.origins = is_last ? std::move(rows.origins) : rows.origins;
    given.kinds = is_last ? std::move(rows.kinds) : rows.kinds;
    // NOLINTEND(clang-analyzer-cplusplus.Move)
    RETURN_IF_ERROR(run.Push(scan.next, std::move(given)));
  }
  return {};
}

}  // namespace slipstream::sql
