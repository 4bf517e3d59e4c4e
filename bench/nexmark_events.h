#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipstream::bench {

// NexmarkEvents: events shaped as Nexmark's are when they go through Kafka as JSON: of 50 one is a
// person, three are auctions, the others bids; about 380 bytes each. Auctions and bidders are of
// 10,000 each; event time goes on by 10 µs an event from 2024-01-01. The same in every run.
// Threads  none of its own; one at a time.
class NexmarkEvents {
 public:
  // The next event as JSON. `extra` stands at the front of its text without a meaning.
  void Append(std::string_view extra, std::string& out);

 private:
  uint64_t Random();
  uint64_t Below(uint64_t limit) { return Random() % limit; }
  void AppendPerson(std::string_view time, std::string_view extra, std::string& out);
  void AppendAuction(std::string_view time, std::string_view extra, std::string& out);
  void AppendBid(std::string_view time, std::string_view extra, std::string& out);

  uint64_t count_ = 0;
  uint64_t state_ = 42;
};

}  // namespace slipstream::bench
