#include "producer/flights/flight_replay.h"

#include <algorithm>
#include <utility>

#include "producer/flights/schedule.h"

namespace slipstream::producer {

using std::chrono::days;
using std::chrono::minutes;

FlightReplay::FlightReplay(FlightSource& source, Options options)
    : source_(source), options_(std::move(options)) {}

Status FlightReplay::Load(const std::stop_token& stop,
                          const std::function<void(uint64_t)>& on_row) {
  constexpr uint64_t kRowsPerReport = 4096;
  if (!options_.is_sorted) return {};
  sorter_.emplace(EventSorter::Options{.memory_bytes = options_.sort_memory_bytes,
                                       .directory = options_.temp_directory});
  uint64_t rows = 0;
  while (true) {
    ASSIGN_OR_RETURN(bool more, Read());
    if (!more) break;
    packed_.clear();
    flight_.PackTo(packed_);
    RETURN_IF_ERROR(sorter_->Add(flight_.event_time().time_since_epoch().count(), packed_));
    if (++rows % kRowsPerReport == 0) {
      if (stop.stop_requested()) return Cancelled("interrupted while reading");
      on_row(rows);
    }
  }
  on_row(rows);
  return sorter_->Finish();
}

uint64_t FlightReplay::total_count() const {
  return sorter_ && !options_.loops ? sorter_->count() : 0;
}

Result<bool> FlightReplay::Read() {
  ASSIGN_OR_RETURN(bool more, source_.Next(flight_));
  if (more && options_.rows_read != nullptr) ++*options_.rows_read;
  return more;
}

Result<bool> FlightReplay::NextFlight() {
  if (!sorter_) return Read();
  int64_t key = 0;
  std::string_view packed;
  ASSIGN_OR_RETURN(bool more, sorter_->Next(key, packed));
  if (!more) return false;
  flight_.Unpack(packed);
  flight_.set_event_time(EventTime(std::chrono::milliseconds(key)));
  return true;
}

void FlightReplay::Note() {
  EventTime time = flight_.event_time();
  int64_t id = ParseInteger(flight_.Get(Field::kId)).value_or(0);
  if (!first_) {
    first_ = earliest_ = latest_ = time;
    id_min_ = id_max_ = id;
    if (options_.start && pass_shift_ == minutes(0)) {
      shift_ = std::chrono::floor<minutes>(*options_.start - time);
    }
  }
  earliest_ = std::min(earliest_, time);
  latest_ = std::max(latest_, time);
  id_min_ = std::min(id_min_, id);
  id_max_ = std::max(id_max_, id);
}

Status FlightReplay::BeginPass() {
  if (sorter_) {
    RETURN_IF_ERROR(sorter_->Rewind());
  } else {
    RETURN_IF_ERROR(source_.Rewind());
  }
  auto first_day = std::chrono::floor<days>(earliest_);
  auto last_day = std::chrono::floor<days>(latest_);
  pass_shift_ += last_day - first_day + days(1);
  id_shift_ += id_max_ - id_min_ + 1;
  first_.reset();
  return {};
}

Result<bool> FlightReplay::Next(Record& record) {
  ASSIGN_OR_RETURN(bool more, NextFlight());
  if (!more && options_.loops && first_) {
    RETURN_IF_ERROR(BeginPass());
    ASSIGN_OR_RETURN(more, NextFlight());
  }
  if (!more) return false;
  Note();
  Shift(flight_, shift_ + pass_shift_);
  int64_t id = ParseInteger(flight_.Get(Field::kId)).value_or(0) + id_shift_;
  if (id_shift_ > 0) flight_.SetInteger(Field::kId, id);
  json_.clear();
  AppendJson(flight_, options_.numbers, json_);
  record.key = options_.key ? flight_.Get(*options_.key) : std::string_view{};
  record.value = json_;
  record.event_time = flight_.event_time();
  record.id = id;
  return true;
}

}  // namespace slipstream::producer
