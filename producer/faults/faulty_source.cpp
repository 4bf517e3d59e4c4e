#include "producer/faults/faulty_source.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "common/check/check.h"

namespace slipstream::producer {

using std::chrono::milliseconds;

FaultySource::FaultySource(RecordSource& source, const Options& options)
    : source_(source),
      options_(options),
      faults_(options.seed, 2),
      delays_(options.seed, 3),
      damage_(options.seed, 4) {
  SLIPSTREAM_CHECK(options.late_ratio + options.corrupt_ratio <= 1, "more faults than records");
}

bool FaultySource::LeavesLater(const Held& a, const Held& b) {
  return std::tie(a.release, a.sequence) > std::tie(b.release, b.sequence);
}

Planted FaultySource::Plant(const Record& record) {
  double draw = faults_.Unit();  // always, so that a mark does not move the faults that follow
  if (record.planted != Planted::kNothing) return record.planted;
  if (draw < options_.corrupt_ratio) return Planted::kCorrupt;
  if (draw < options_.corrupt_ratio + options_.late_ratio) return Planted::kLate;
  return Planted::kNothing;
}

milliseconds FaultySource::Below(milliseconds bound) {
  return milliseconds(static_cast<int64_t>(delays_.Unit() * static_cast<double>(bound.count())));
}

milliseconds FaultySource::HoldBack(Planted planted) {
  milliseconds disorder = Below(options_.disorder);
  if (planted != Planted::kLate) return disorder;
  return options_.disorder + options_.late_by + Below(options_.late_by);
}

void FaultySource::Corrupt(std::string& value) {
  SLIPSTREAM_CHECK(value.starts_with("{\""), "a value that is no JSON object");
  switch (damage_.Below(4)) {
    case 0:  // not to nothing: that would be a message without a value, which is not corrupt
      value.resize(1 + static_cast<size_t>(damage_.Below(static_cast<int>(value.size()) - 1)));
      break;
    case 1:
      value.erase(0, 1);
      break;
    case 2:
      value.erase(1, 1);
      break;
    default:
      value.insert(2, 1, '\xff');
  }
}

Result<bool> FaultySource::Take() {
  if (held_.size() == kHeldMax) {
    return ResourceExhausted(
        fmt::format("more than {} records are held back: shorten the disorder, or how late late "
                    "records are",
                    kHeldMax));
  }
  Record record;
  ASSIGN_OR_RETURN(bool more, source_.Next(record));
  if (!more) return false;
  record.planted = Plant(record);
  record.held_back = HoldBack(record.planted);
  latest_ = std::max(latest_, record.event_time);
  Held held{.release = record.event_time + record.held_back,
            .sequence = taken_++,
            .record = record,
            .has_key = record.key.data() != nullptr,
            .key = std::string(record.key),
            .value = std::string(record.value)};
  if (record.planted == Planted::kCorrupt) Corrupt(held.value);
  held_.push_back(std::move(held));
  std::push_heap(held_.begin(), held_.end(), LeavesLater);
  return true;
}

Result<bool> FaultySource::Next(Record& record) {
  while (!at_end_ && (held_.empty() || held_.front().release > latest_)) {
    ASSIGN_OR_RETURN(bool more, Take());
    at_end_ = !more;
  }
  if (held_.empty()) return false;
  std::pop_heap(held_.begin(), held_.end(), LeavesLater);
  leaving_ = std::move(held_.back());
  held_.pop_back();
  record = leaving_.record;
  record.key = leaving_.has_key ? std::string_view(leaving_.key) : std::string_view();
  record.value = leaving_.value;
  return true;
}

}  // namespace slipstream::producer
