#include "common/metrics/call_metrics.h"

#include <functional>
#include <map>
#include <utility>

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include "common/sync/mutex.h"

namespace slipstream::metrics {
namespace {

const prometheus::Histogram::BucketBoundaries kSecondsBuckets = {
    0.0002, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 30};

}  // namespace

struct CallMetrics::Impl {
  Impl(prometheus::Registry& registry, const Options& options)
      : label(options.label),
        answered(prometheus::BuildCounter()
                     .Name(options.prefix + "s_total")
                     .Help("Answered, by outcome.")
                     .Register(registry)),
        seconds(prometheus::BuildHistogram()
                    .Name(options.prefix + "_seconds")
                    .Help(options.help)
                    .Register(registry)) {}

  struct Call {
    prometheus::Histogram* seconds = nullptr;
    std::map<std::string, prometheus::Counter*, std::less<>> by_code;
  };

  // Looking a metric up by its labels costs more than some of the calls: each is looked up once.
  std::pair<prometheus::Counter*, prometheus::Histogram*> Find(std::string_view name,
                                                               std::string_view code)
      EXCLUDES(mutex) {
    MutexLock lock(mutex);
    auto call = calls.find(name);
    if (call == calls.end()) {
      call = calls.try_emplace(std::string(name)).first;
      call->second.seconds = &seconds.Add({{label, call->first}}, kSecondsBuckets);
    }
    auto& by_code = call->second.by_code;
    auto counter = by_code.find(code);
    if (counter == by_code.end()) {
      const std::string text(code);
      counter = by_code.emplace(text, &answered.Add({{label, call->first}, {"code", text}})).first;
    }
    return {counter->second, call->second.seconds};
  }

  const std::string label;
  prometheus::Family<prometheus::Counter>& answered;
  prometheus::Family<prometheus::Histogram>& seconds;
  Mutex mutex;
  std::map<std::string, Call, std::less<>> calls GUARDED_BY(mutex);
};

CallMetrics::CallMetrics(prometheus::Registry& registry, const Options& options)
    : impl_(std::make_unique<Impl>(registry, options)) {}
CallMetrics::~CallMetrics() = default;

void CallMetrics::Count(std::string_view call, std::string_view code, double seconds) {
  const auto [counter, histogram] = impl_->Find(call, code);
  counter->Increment();
  histogram->Observe(seconds);
}

}  // namespace slipstream::metrics
