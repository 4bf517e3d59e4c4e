#include "dfs-client/cli/copy_pool.h"

#include <algorithm>
#include <utility>

#include "dfs-client/cli/session.h"

namespace slipstream::dfs::cli {

CopyFailures FailureOf(const std::string& shown, const Status& status) {
  return {{.shown = shown, .status = status}};
}

CopyPool::CopyPool(Session& session, size_t threads)
    : session_(session), threads_(threads), progress_(session.verb()), pool_("dfs_copy", threads) {}

CopyPool::~CopyPool() {
  is_over_ = true;
  for (auto& copy : running_)
    copy.wait();
}

void CopyPool::Add(Copy copy) {
  if (is_over_) return;
  if (threads_ <= 1) {
    Report(copy());
    return;
  }
  if (running_.size() == kQueuedMax) ReportFirst();
  running_.push_back(
      pool_.Submit([this, copy = std::move(copy)] { return is_over_ ? CopyFailures() : copy(); }));
}

void CopyPool::AddFailure(const std::string& shown, const Status& status) {
  Add([shown, status] { return FailureOf(shown, status); });
}

void CopyPool::Finish() {
  while (!running_.empty())
    ReportFirst();
}

void CopyPool::ReportFirst() {
  Report(running_.front().get());
  running_.pop_front();
}

void CopyPool::Report(const CopyFailures& failures) {
  for (const CopyFailure& failure : failures) {
    if (is_over_) return;
    progress_.Clear();
    session_.Fail(failure.shown, failure.status);
    is_over_ = session_.is_master_gone();
  }
}

Result<size_t> ThreadsAskedFor(const Arguments& arguments) {
  for (const char* flag : {"t", "q"}) {
    const std::string text = arguments.Value(flag).value_or("");
    if (!text.empty()) RETURN_IF_ERROR(ParseNumber(text).status());
  }
  const std::string text = arguments.Value("t").value_or("");
  if (text.empty()) return CopyPool::kThreadsDefault;
  ASSIGN_OR_RETURN(const int64_t threads, ParseNumber(text));
  return static_cast<size_t>(
      std::clamp<int64_t>(threads, 1, static_cast<int64_t>(CopyPool::kThreadsMax)));
}

}  // namespace slipstream::dfs::cli
