#include "processor/connectors/partition_commits.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "common/fs/posix_file_system.h"
#include "common/log/log.h"

namespace slipstream::runtime {
namespace {

constexpr int64_t kMicrosPerMilli = 1'000;

}  // namespace

int64_t PartitionCommits::Sink::DeadlineOf(std::string_view partition_path,
                                           int64_t since_ms) const {
  const FileSinkSpec::PartitionCommit& commit = target.spec.partition_commit;
  // At the latest when the input has ended.
  constexpr int64_t kAtTheEnd = kEndOfTime - 1;
  if (!commit.is_by_watermark) {
    return commit.delay_ms < kAtTheEnd - since_ms ? since_ms + commit.delay_ms : kAtTheEnd;
  }
  const std::optional<EventTimeUs> time =
      commit.time_of ? commit.time_of(partition_path) : std::nullopt;
  if (!time) {
    log::Get("processor.files")
        ->warn("partition_without_time path={} committed=at_the_end", log::Quoted(partition_path));
    return kAtTheEnd;
  }
  int64_t deadline = 0;
  const bool overflows = __builtin_mul_overflow(commit.delay_ms, kMicrosPerMilli, &deadline) ||
                         __builtin_add_overflow(deadline, *time, &deadline);
  return overflows ? kAtTheEnd : std::min(deadline, kAtTheEnd);
}

PartitionCommits::PartitionCommits(const std::vector<std::pair<size_t, FileSinkTarget>>& targets,
                                   const std::vector<OpenPartition>& open) {
  for (const auto& [number, target] : targets) {
    if (!target.spec.success_file.empty()) sinks_[number].target = target;
  }
  for (const OpenPartition& partition : open) {
    const auto sink = sinks_.find(partition.sink);
    if (sink == sinks_.end()) continue;
    const int64_t deadline = sink->second.DeadlineOf(partition.partition_path, partition.since_ms);
    folders_[Key(partition.sink, partition.partition_path)] = {.since_ms = partition.since_ms,
                                                               .deadline = deadline};
    sink->second.first_deadline = std::min(sink->second.first_deadline, deadline);
  }
}

Status PartitionCommits::Add(size_t sink, std::string_view partition_path, int64_t now_ms) {
  const auto found = sinks_.find(sink);
  if (found == sinks_.end()) return {};
  const auto [entry, is_new] = folders_.try_emplace(Key(sink, partition_path));
  Folder& folder = entry->second;
  if (is_new) {
    if (folders_.size() > kOpenMax) {
      return ResourceExhausted(
          fmt::format("{} folders wait for their success file: {} is one too many",
                      kOpenMax,
                      found->second.target.folder + std::string(partition_path)));
    }
    folder = {.since_ms = now_ms, .deadline = found->second.DeadlineOf(partition_path, now_ms)};
  } else if (!folder.is_closing) {
    return {};
  } else {
    folder.is_closing = false;
    --closing_count_;
  }
  found->second.first_deadline = std::min(found->second.first_deadline, folder.deadline);
  return {};
}

bool PartitionCommits::IsPast(const Sink& sink,
                              size_t number,
                              int64_t now_ms,
                              const VisibleTime& visible) {
  if (sink.first_deadline == INT64_MAX) return false;
  return sink.is_timed() ? visible(number) > sink.first_deadline : now_ms >= sink.first_deadline;
}

bool PartitionCommits::HasDue(int64_t now_ms, const VisibleTime& visible) const {
  return std::any_of(sinks_.begin(), sinks_.end(), [&](const auto& entry) {
    return IsPast(entry.second, entry.first, now_ms, visible);
  });
}

std::vector<std::pair<size_t, std::string>> PartitionCommits::EndEpoch(int64_t now_ms,
                                                                       bool is_last,
                                                                       const VisibleTime& visible) {
  std::vector<Key> closing;
  for (auto& [number, sink] : sinks_) {
    const bool is_over = is_last && !sink.is_timed();
    if (!is_over && !IsPast(sink, number, now_ms, visible)) continue;
    const EventTimeUs time = sink.is_timed() ? visible(number) : now_ms;
    sink.first_deadline = INT64_MAX;
    for (auto& [key, folder] : folders_) {
      if (key.first != number || folder.is_closing) continue;
      const bool is_due = sink.is_timed() ? time > folder.deadline : time >= folder.deadline;
      if (is_due || is_over) {
        folder.is_closing = true;
        ++closing_count_;
        closing.push_back(key);
      } else {
        sink.first_deadline = std::min(sink.first_deadline, folder.deadline);
      }
    }
  }
  return closing;
}

std::vector<std::pair<size_t, std::string>> PartitionCommits::Ready() const {
  std::vector<std::pair<size_t, std::string>> paths;
  for (const auto& [key, folder] : folders_) {
    if (!folder.is_closing) continue;
    const FileSinkTarget& target = sinks_.at(key.first).target;
    paths.emplace_back(key.first, target.folder + key.second + target.spec.success_file);
  }
  return paths;
}

void PartitionCommits::OnWritten() {
  std::erase_if(folders_, [](const auto& entry) { return entry.second.is_closing; });
  closing_count_ = 0;
}

std::vector<OpenPartition> PartitionCommits::open() const {
  std::vector<OpenPartition> open;
  for (const auto& [key, folder] : folders_) {
    open.push_back({.sink = static_cast<uint32_t>(key.first),
                    .partition_path = key.second,
                    .since_ms = folder.since_ms});
  }
  return open;
}

Status WriteSuccessFile(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path();
  // Of rows from before a savepoint the folder may be elsewhere.
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) return ErrnoStatus(error.value(), "make " + parent);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return ErrnoStatus(errno, "write " + path);
  const Status status = fsync(file) == 0 ? Status() : ErrnoStatus(errno, "sync " + path);
  close(file);
  RETURN_IF_ERROR(status);
  return PosixFileSystem::Get().SyncDirectory(parent);
}

Status WriteSuccessFiles(const std::vector<std::pair<size_t, std::string>>& paths,
                         const std::function<bool(size_t sink)>& is_dfs,
                         dfs::AppendStore* store,
                         const std::string& owner) {
  std::vector<dfs::FileAppend> appends;
  for (const auto& [sink, path] : paths) {
    if (!is_dfs(sink)) {
      RETURN_IF_ERROR(WriteSuccessFile(path));
    } else {
      appends.push_back({.target = path, .blocks = {}, .close = true, .replace = true});
    }
  }
  if (appends.empty()) return {};
  ASSIGN_OR_RETURN(const dfs::AppenderState appender, store->AcquireAppender(owner));
  const dfs::AppenderEpoch epoch{.owner = owner,
                                 .incarnation = appender.incarnation,
                                 .epoch = appender.committed.epoch + 1,
                                 .committed = {},
                                 .files = std::move(appends)};
  // One write: no name stays reserved, so the tasks that share a folder are not in one another's
  // way.
  return store->Prepare({&epoch, 1}, true).status();
}

}  // namespace slipstream::runtime
