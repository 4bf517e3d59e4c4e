#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::producer {

// What is wrong with a message on purpose, for whoever downstream is to notice.
enum class Planted {
  kNothing,
  kAnomaly,  // a measurement that is off
  kLate,     // sent long after its event time
  kCorrupt,  // no JSON
};

// A message before it is sent. The views are valid until the source's next record.
struct Record {
  std::string_view key;  // data() is null: none, so that Kafka spreads such records
  std::string_view value;
  std::chrono::local_time<std::chrono::milliseconds> event_time;
  int64_t id = 0;  // what --acks-file lists
  Planted planted = Planted::kNothing;
  // How much later than its event time the record is due.
  std::chrono::milliseconds held_back{0};
};

// RecordSource: where messages come from, in the order in which they are to be sent.
// Threads: one reader at a time.
class RecordSource {
 public:
  virtual ~RecordSource() = default;
  // The next record; false at the end.
  virtual Result<bool> Next(Record& record) = 0;
};

}  // namespace slipstream::producer
