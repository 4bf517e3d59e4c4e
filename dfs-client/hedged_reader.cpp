#include "dfs-client/hedged_reader.h"

#include <optional>
#include <utility>

#include "common/sync/mutex.h"

namespace slipstream::dfs {
namespace {

constexpr size_t kSecondReadsMax = 4;  // at a time

}  // namespace

// What the two reads share. The second may go on for a moment after the first has returned.
struct HedgedReader::Race {
  NodeAddress second;
  NodeClient::Wanted wanted;
  std::chrono::milliseconds timeout{};
  std::stop_source stop_first;
  std::stop_source stop_second;

  Mutex mutex;
  CondVar ended;
  std::optional<Result<std::string>> outcome GUARDED_BY(mutex);  // of the second
};

HedgedReader::HedgedReader(const Options& options, NodeClient& nodes, const Clock& clock)
    : options_(options),
      nodes_(nodes),
      clock_(clock),
      slow_(options.slow_forgiven_after),
      delayed_("dfs_hedge", kSecondReadsMax) {}

Result<std::string> HedgedReader::ReadFirst(const Request& request, const std::stop_token& stop) {
  const SteadyTime begin = clock_.Now();
  auto raw = nodes_.ReadBlock(request.first, request.wanted, request.timeout, stop);
  if (raw.ok()) {
    policy_.Record(request.wanted.range.length,
                   std::chrono::duration_cast<HedgePolicy::Duration>(clock_.Now() - begin));
  }
  return raw;
}

void HedgedReader::ReadSecond(Race& race) {
  Result<std::string> raw = Unavailable("too many second reads");
  if (policy_.TryTake()) {
    raw = nodes_.ReadBlock(race.second, race.wanted, race.timeout, race.stop_second.get_token());
  }
  const bool is_won = raw.ok();
  {
    MutexLock lock(race.mutex);
    race.outcome = std::move(raw);
    race.ended.NotifyAll();
  }
  if (is_won) race.stop_first.request_stop();
}

Result<std::string> HedgedReader::Read(const Request& request, const std::stop_token& stop) {
  if (!options_.is_hedging || request.second == nullptr) return ReadFirst(request, stop);

  // Shared with the second read, which ends when it ends.
  auto race = std::make_shared<Race>();
  race->second = *request.second;
  race->wanted = request.wanted;
  race->timeout = request.timeout;
  std::stop_callback stop_both(stop, [&race] {
    race->stop_first.request_stop();
    race->stop_second.request_stop();
  });
  const auto ticket = delayed_.After(policy_.Delay(request.wanted.range.length),
                                     [this, race] { ReadSecond(*race); });
  auto raw = ReadFirst(request, race->stop_first.get_token());
  if (delayed_.Cancel(ticket)) return raw;
  if (raw.ok()) {
    race->stop_second.request_stop();
    return raw;
  }

  // The first was stopped by the second, or failed while that one was at it.
  MutexLock lock(race->mutex);
  while (!race->outcome.has_value())
    race->ended.Wait(race->mutex);
  if (!race->outcome->ok()) return raw;
  slow_.Add(request.first.node_id, clock_.Now());
  return *std::move(race->outcome);
}

}  // namespace slipstream::dfs
