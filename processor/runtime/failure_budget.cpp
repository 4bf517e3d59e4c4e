#include "processor/runtime/failure_budget.h"

#include <fmt/format.h>

namespace slipstream::runtime {
namespace {

constexpr int kFailedEpochsMax = 20;
constexpr size_t kBrokenClientsMax = 3;
constexpr std::chrono::minutes kBrokenClientsPeriod{1};

}  // namespace

Status FailureBudget::OnEpochFailed(const Status& why) {
  if (++failed_epochs_ < kFailedEpochsMax) return {};
  return why.WithContext(fmt::format("{} epochs in a row failed", failed_epochs_));
}

Status FailureBudget::OnClientBroken(const Status& why) {
  const SteadyTime now = clock_.Now();
  broken_clients_.push_back(now);
  while (now - broken_clients_.front() > kBrokenClientsPeriod)
    broken_clients_.pop_front();
  if (broken_clients_.size() < kBrokenClientsMax) return {};
  return why.WithContext(fmt::format("{} fatal kafka errors in a minute", broken_clients_.size()));
}

}  // namespace slipstream::runtime
