#include "dfs-client/file_publisher.h"

#include <algorithm>
#include <utility>

#include "dfs-client/master_client.h"
#include "dfs-client/random_id.h"

namespace slipstream::dfs {
namespace {

// Whether the answer says that the files are visible, or that they never will be.
bool IsOutcome(Code code) {
  switch (code) {
    case Code::kOk:
    case Code::kAlreadyExists:
    case Code::kFailedPrecondition:
    case Code::kInvalidArgument:
    case Code::kNotFound:
      return true;
    default:
      return false;
  }
}

}  // namespace

FilePublisher::FilePublisher(MasterClient& master, RandomIds& ids, const Clock& clock)
    : master_(master), ids_(ids), clock_(clock) {}

Result<FilePublisher::Writer> FilePublisher::Take() {
  const SteadyTime now = clock_.Now();
  {
    MutexLock lock(mutex_);
    std::erase_if(idle_, [&](const Writer& writer) { return now - writer.heard_at > kLease / 2; });
    if (!idle_.empty()) {
      // The last used, so that those too many grow old.
      Writer writer = std::move(idle_.back());
      idle_.pop_back();
      return writer;
    }
  }
  Writer writer{.owner = "client/" + ids_.Next(), .heard_at = now};
  ASSIGN_OR_RETURN(AppenderState state, master_.AcquireAppender(writer.owner, kLease));
  writer.incarnation = state.incarnation;
  return writer;
}

void FilePublisher::GiveBack(Writer writer) {
  MutexLock lock(mutex_);
  if (idle_.size() < kIdleWritersMax) idle_.push_back(std::move(writer));
}

Status FilePublisher::Publish(std::vector<FileAppend> files) {
  ASSIGN_OR_RETURN(Writer writer, Take());
  const bool was_idle = writer.last_epoch > 0;
  AppenderEpoch epoch{.owner = writer.owner,
                      .incarnation = writer.incarnation,
                      .epoch = ++writer.last_epoch,
                      .files = std::move(files)};
  const SteadyTime began = clock_.Now();
  Status status = master_.Prepare({&epoch, 1}, /*commit=*/true).status();
  if (status.code() == Code::kAborted && was_idle) status = PublishAnew(writer, epoch);
  if (IsOutcome(status.code())) {
    writer.heard_at = began;
    GiveBack(std::move(writer));
  }
  return status;
}

Status FilePublisher::PublishAnew(Writer& writer, AppenderEpoch& epoch) {
  ASSIGN_OR_RETURN(AppenderState state, master_.AcquireAppender(writer.owner, kLease));
  // The writer may have been given up between the commit and an answer that got lost.
  const EpochPair tried{.epoch = epoch.epoch, .incarnation = epoch.incarnation};
  if (state.committed == tried) return {};
  writer.incarnation = state.incarnation;
  epoch.incarnation = state.incarnation;
  epoch.epoch = ++writer.last_epoch;
  return master_.Prepare({&epoch, 1}, /*commit=*/true).status();
}

}  // namespace slipstream::dfs
