#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "producer/pipeline/record.h"
#include "producer/synthetic/random.h"

namespace slipstream::producer {

// FaultySource: the records of another source as a bad network would bring them: out of order,
// some of them much too late, some of them mangled. The same options and records give the same
// faults.
//
// Disorder   every record is held back by up to `disorder`, not inclusive, of event time. When it
//            leaves, records with event times up to that much later have left, and no later ones:
//            to whoever waits `disorder` for stragglers nothing is lost.
// Late       a share of the records is held back by `disorder` and from once to twice `late_by`
//            more: all others with event times up to `late_by` after its own have left by then.
// Corrupt    another share cannot be parsed: cut off, a brace or a quote lost, or a byte that is
//            not UTF-8. Values are JSON objects with at least one member.
// Marks      late and corrupt records are marked as such. A record that bears a mark already is
//            neither made late nor corrupt: its own fault is to arrive.
// Ownership  borrows the source, whose event times should not go back: what does is as if held
//            back already.
// Memory     what is held back, at most kHeldMax records: kResourceExhausted beyond.
// Threads    one user at a time.
class FaultySource final : public RecordSource {
 public:
  static constexpr size_t kHeldMax = 1'000'000;

  struct Options {
    std::chrono::milliseconds disorder{0};
    double late_ratio = 0;  // this and corrupt_ratio together at most 1
    std::chrono::milliseconds late_by{60'000};
    double corrupt_ratio = 0;
    uint64_t seed = 1;
  };

  FaultySource(RecordSource& source, const Options& options);

  Result<bool> Next(Record& record) override;

 private:
  using Time = std::chrono::local_time<std::chrono::milliseconds>;

  // A record of its own, and when it is to leave. Ties leave in the source's order.
  struct Held {
    Time release;
    uint64_t sequence = 0;
    Record record;  // without its texts
    bool has_key = false;
    std::string key;
    std::string value;
  };
  static bool LeavesLater(const Held& a, const Held& b);

  Planted Plant(const Record& record);
  std::chrono::milliseconds HoldBack(Planted planted);
  std::chrono::milliseconds Below(std::chrono::milliseconds bound);
  void Corrupt(std::string& value);
  // Takes one record from the source; false at its end.
  Result<bool> Take();

  RecordSource& source_;
  const Options options_;
  synthetic::Random faults_;
  synthetic::Random delays_;
  synthetic::Random damage_;
  std::vector<Held> held_;  // a heap, the next to leave first
  Held leaving_;            // the record given last
  Time latest_ = Time::min();
  uint64_t taken_ = 0;
  bool at_end_ = false;
};

}  // namespace slipstream::producer
