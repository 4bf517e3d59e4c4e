#pragma once

#include <string>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include "common/scratch/scratch_store.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "processor/runtime/job_runner.h"

namespace slipstream::processor {

// JobView: a running job as the admin port shows it: metrics, readiness, status.
//
// The admin port is open before the job's runner exists (its address is part of what the job
// publishes of itself); until Show is called the view is of a job that is starting.
//
// Ownership  borrows the scratch store, if the job has one, and the runner, which must outlive the
//            view or be taken back with Show(nullptr).
// Threads    thread-safe.
class JobView final : public prometheus::Collectable {
 public:
  explicit JobView(const ScratchStore* scratch) : scratch_(scratch) {}

  void Show(const runtime::JobRunner* runner);

  std::vector<prometheus::MetricFamily> Collect() const override;
  // kUnavailable with the reason while the job does not run all its tasks.
  Status Ready() const;
  std::string StatusJson() const;

 private:
  const ScratchStore* const scratch_;
  mutable Mutex mutex_;
  const runtime::JobRunner* runner_ GUARDED_BY(mutex_) = nullptr;
};

}  // namespace slipstream::processor
