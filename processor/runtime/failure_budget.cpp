#include "processor/runtime/failure_budget.h"

#include <fmt/format.h>

namespace slipstream::runtime {
namespace {

constexpr int kFailedEpochsMax = 20;
constexpr size_t kBrokenProducersMax = 3;
constexpr std::chrono::minutes kBrokenProducersPeriod{1};

}  // namespace

Status FailureBudget::OnEpochFailed(const Status& why) {
  if (++failed_epochs_ < kFailedEpochsMax) return {};
  return why.WithContext(fmt::format("{} epochs in a row failed", failed_epochs_));
}

Status FailureBudget::OnProducerBroken(const Status& why) {
  const SteadyTime now = clock_.Now();
  broken_producers_.push_back(now);
  while (now - broken_producers_.front() > kBrokenProducersPeriod)
    broken_producers_.pop_front();
  if (broken_producers_.size() < kBrokenProducersMax) return {};
  return why.WithContext(
      fmt::format("{} fatal producer errors in a minute", broken_producers_.size()));
}

}  // namespace slipstream::runtime
