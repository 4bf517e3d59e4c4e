#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "producer/flights/flight.h"
#include "producer/flights/flight_json.h"
#include "producer/flights/flight_source.h"
#include "producer/pipeline/record.h"
#include "producer/sort/event_sorter.h"

namespace slipstream::producer {

// FlightReplay: the flights of a source as messages, in the order of their event times.
//
// Shape       Load() reads everything and sorts it, unless `is_sorted` is off: then flights are
//             read as they are asked for, and leave in the order in which they lie.
// Time        `start` moves the data: the event time of the first flight sent becomes `start`,
//             rounded down to the minute, all others keep their distance from it.
// Loop        with `loops` the data begins again at its end: one whole number of days later, so
//             that event time goes on, and with ids that go on too. Then Next() never ends,
//             unless there is no flight at all.
// Ownership   borrows the source.
// Threads     one user at a time; the stop token may be triggered from elsewhere.
class FlightReplay final : public RecordSource {
 public:
  struct Options {
    bool is_sorted = true;
    size_t sort_memory_bytes = 100 << 20;
    std::filesystem::path temp_directory;
    std::optional<EventTime> start;
    bool loops = false;
    std::optional<Field> key = Field::kOrigin;
    NumberStyle numbers = NumberStyle::kNumbers;
    // Counts the flights read from the source, in all passes. Must outlive this.
    std::atomic<uint64_t>* rows_read = nullptr;
  };

  FlightReplay(FlightSource& source, Options options);

  // Reads and sorts. `on_row` is told from time to time how many rows were read. kCancelled when
  // `stop` was triggered.
  Status Load(const std::stop_token& stop, const std::function<void(uint64_t rows)>& on_row);

  Result<bool> Next(Record& record) override;

  // How many will come; 0 if that is not known.
  uint64_t total_count() const;
  uint64_t spilled_run_count() const { return sorter_ ? sorter_->spilled_run_count() : 0; }

 private:
  // From the source itself.
  Result<bool> Read();
  Result<bool> NextFlight();
  // The flight in `flight_` was given: notes how far ids and times have come.
  void Note();
  Status BeginPass();

  FlightSource& source_;
  const Options options_;
  std::optional<EventSorter> sorter_;
  Flight flight_;
  std::string packed_;
  std::string json_;

  std::chrono::minutes shift_{0};
  std::chrono::minutes pass_shift_{0};
  int64_t id_shift_ = 0;
  // Of the flights as they lie in the source, in this pass.
  std::optional<EventTime> first_;
  EventTime earliest_;
  EventTime latest_;
  int64_t id_min_ = 0;
  int64_t id_max_ = -1;
};

}  // namespace slipstream::producer
