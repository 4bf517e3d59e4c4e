#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/runtime/repartition_record.h"
#include "processor/runtime/task_program.h"

namespace slipstream::runtime {

// An exchange into a stage, and the inputs of the job whose tasks send through it.
struct ExchangeSenders {
  size_t exchange = 0;
  std::vector<uint8_t> inputs;
};

// SenderTimes: what a task behind a repartition topic knows of the time of those who send to it:
// the last mark of each. Repeats of a mark do nothing. Pure; not thread-safe.
class SenderTimes final {
 public:
  explicit SenderTimes(std::vector<ExchangeSenders> exchanges);

  // The time of what comes through one exchange.
  struct Time {
    // The least of the senders that are not idle. None while one has never been heard of, which
    // holds everything back, and when all are idle.
    std::optional<EventTimeUs> watermark;
    bool is_idle = false;  // all senders are, but for those that are done
    bool is_done = false;  // all senders are
  };

  void Set(const SenderMark& mark);
  // By place in the list of exchanges that it was made with.
  Time Of(size_t exchange) const;
  // Every sender of every exchange is done.
  bool is_done() const;
  // Senders that were heard of.
  size_t sender_count() const { return senders_.size(); }

  // Writes the marks that have changed since the last call; Restore takes them back. The keys are
  // below the changelog's kTime.
  void SaveChanges(StateWriter& writer);
  Status Restore(std::string_view key, std::string_view value);

 private:
  const std::vector<ExchangeSenders> exchanges_;
  std::map<SenderId, SenderMark> senders_;
  std::map<uint8_t, uint32_t> counts_;  // by input: how many senders it has
  std::set<SenderId> changed_;          // since the last save
};

}  // namespace slipstream::runtime
