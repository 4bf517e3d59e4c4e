#include "bench/nexmark_events.h"

#include <array>
#include <chrono>
#include <iterator>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace slipstream::bench {
namespace {

constexpr uint64_t kIds = 10'000;
constexpr uint64_t kFirstId = 1'000;
constexpr uint64_t kEventsPerSecond = 100'000;  // of event time
constexpr int64_t kBeginSeconds = 1'704'067'200;
constexpr std::array<std::string_view, 4> kChannels = {"Google", "Facebook", "Baidu", "Apple"};
constexpr std::string_view kFiller =
    "nqkzvzdjfihfrvtqpfmsqvtpgbjbqjhpmhlzdwrdtxjomgsbgxnqzplmgxsrrcrqgjvbhywtqmflkjdvrtzmlqdbqhvsmw"
    "tkqpgfxnchrjpdtlywqbzmvksgnhrfcxjzlpbtqwmdkvyhsrgfncxzjlpwtb";

}  // namespace

uint64_t NexmarkEvents::Random() {
  // xorshift64*: good enough to spread ids, and always the same.
  state_ ^= state_ >> 12U;
  state_ ^= state_ << 25U;
  state_ ^= state_ >> 27U;
  return state_ * 0x2545F4914F6CDD1DULL;
}

void NexmarkEvents::Append(std::string_view extra, std::string& out) {
  const uint64_t number = count_++;
  const auto seconds = std::chrono::sys_seconds(
      std::chrono::seconds(kBeginSeconds + static_cast<int64_t>(number / kEventsPerSecond)));
  const std::string time =
      fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}", seconds, number % kEventsPerSecond / 100);
  switch (number % 50) {
    case 0:
      return AppendPerson(time, extra, out);
    case 1:
    case 2:
    case 3:
      return AppendAuction(time, extra, out);
    default:
      return AppendBid(time, extra, out);
  }
}

void NexmarkEvents::AppendPerson(std::string_view time, std::string_view extra, std::string& out) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"event_type":0,"person":{{"id":{},"name":"vicky noris","emailAddress":"{}@example.com","creditCard":"{:04} {:04} {:04} {:04}","city":"phoenix","state":"az","dateTime":"{}","extra":"{}{}"}},"auction":null,"bid":null}})",
      kFirstId + Below(kIds),
      kFiller.substr(Below(20), 12),
      Below(10'000),
      Below(10'000),
      Below(10'000),
      Below(10'000),
      time,
      extra,
      kFiller.substr(0, 120));
}

void NexmarkEvents::AppendAuction(std::string_view time, std::string_view extra, std::string& out) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"event_type":1,"person":null,"auction":{{"id":{},"itemName":"{}","description":"{}","initialBid":{},"reserve":{},"dateTime":"{}","expires":"{}","seller":{},"category":{},"extra":"{}{}"}},"bid":null}})",
      kFirstId + Below(kIds),
      kFiller.substr(Below(20), 12),
      kFiller.substr(Below(20), 60),
      Below(10'000),
      Below(10'000),
      time,
      time,
      kFirstId + Below(kIds),
      10 + Below(5),
      extra,
      kFiller.substr(0, 40));
}

void NexmarkEvents::AppendBid(std::string_view time, std::string_view extra, std::string& out) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"event_type":2,"person":null,"auction":null,"bid":{{"auction":{},"bidder":{},"price":{},"channel":"{}","url":"https://www.nexmark.com/{}/{}/{}/item.htm?query=1&channel_id={}","dateTime":"{}","extra":"{}{}"}}}})",
      kFirstId + Below(kIds),
      kFirstId + Below(kIds),
      100 + Below(10'000'000),
      kChannels[Below(kChannels.size())],
      kFiller.substr(Below(20), 4),
      kFiller.substr(Below(20), 5),
      kFiller.substr(Below(20), 4),
      Below(1'000'000'000),
      time,
      extra,
      kFiller.substr(0, 110 + Below(40)));
}

}  // namespace slipstream::bench
