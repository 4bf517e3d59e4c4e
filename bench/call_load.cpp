#include "bench/call_load.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include <grpcpp/grpcpp.h>

#include "common/clock/clock.h"
#include "common/rpc/channel.h"
#include "common/sync/mutex.h"

namespace slipstream::bench {
namespace {

double ToMs(SteadyTime::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

double Percentile(std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<size_t>(share * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

LoadResult RunCallers(size_t callers,
                      std::chrono::milliseconds duration,
                      const std::function<Status(size_t caller, uint64_t n)>& call) {
  const Clock& clock = SystemClock::Get();
  const SteadyTime counted_from = clock.Now() + duration / 10;
  const SteadyTime end = counted_from + duration;
  std::atomic<bool> is_over{false};
  Mutex mutex;
  std::vector<float> times_ms;
  LoadResult result;
  auto run = [&](size_t caller) {
    std::vector<float> own_ms;
    for (uint64_t n = 0; !is_over; ++n) {
      const SteadyTime before = clock.Now();
      if (before >= end) break;
      const Status status = call(caller, n);
      const SteadyTime after = clock.Now();
      if (!status.ok()) {
        MutexLock lock(mutex);
        if (result.first_error.empty()) result.first_error = status.ToString();
        is_over = true;
      } else if (before >= counted_from && after <= end) {
        own_ms.push_back(static_cast<float>(ToMs(after - before)));
      }
    }
    MutexLock lock(mutex);
    times_ms.insert(times_ms.end(), own_ms.begin(), own_ms.end());
  };
  {
    std::vector<std::jthread> threads;
    for (size_t caller = 0; caller < callers; ++caller)
      threads.emplace_back(run, caller);
  }
  std::sort(times_ms.begin(), times_ms.end());
  result.calls = times_ms.size();
  result.seconds = std::chrono::duration<double>(end - counted_from).count();
  result.median_ms = Percentile(times_ms, 0.5);
  result.p99_ms = Percentile(times_ms, 0.99);
  return result;
}

std::vector<std::shared_ptr<grpc::Channel>> Connect(const std::string& address, size_t channels) {
  std::vector<std::shared_ptr<grpc::Channel>> connected;
  for (size_t i = 0; i < channels; ++i)
    connected.push_back(rpc::MakeChannel(address));
  return connected;
}

}  // namespace slipstream::bench
