#include "processor/runtime/discard.h"

#include <map>
#include <optional>

#include <fmt/format.h>

#include "common/kafka/partition_reader.h"
#include "common/log/log.h"
#include "processor/runtime/patience.h"
#include "processor/runtime/task.h"
#include "processor/state/changelog.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReadTimeout{5'000};

struct LastCommit {
  std::optional<JobRecord> job;
  std::optional<Mark> mark;
};

// The last marks in one partition of the changelog, by input.
Result<std::map<uint8_t, LastCommit>> ReadMarks(kafka::PartitionReader& reader,
                                                const kafka::TopicPartition& partition) {
  std::map<uint8_t, LastCommit> commits;
  RETURN_IF_ERROR(reader.Start(partition, kafka::kOffsetBeginning));
  for (;;) {
    auto batch = reader.Read(10'000, kReadTimeout);
    RETURN_IF_ERROR(batch->error());
    for (const kafka::Record& record : batch->records()) {
      if (!record.key || !record.value) continue;
      ASSIGN_OR_RETURN(ChangelogKey key, ParseChangelogKey(*record.key));
      if (key.kind == ChangelogKind::kJob) {
        ASSIGN_OR_RETURN(commits[key.input].job, ParseJobRecord(*record.value));
      } else if (key.kind == ChangelogKind::kMark) {
        ASSIGN_OR_RETURN(commits[key.input].mark, ParseMark(*record.value));
      }
    }
    if (batch->end_offset()) return commits;
    if (batch->empty()) return Unavailable("no answer from " + kafka::ToString(partition));
  }
}

// Makes visible what the mark recorded, and gives up the task's files.
Status CloseFiles(dfs::AppendStore& store, const std::string& owner, const Mark& mark) {
  ASSIGN_OR_RETURN(dfs::AppenderState state, store.AcquireAppender(owner));
  const dfs::EpochPair last{.epoch = mark.file_pair.epoch,
                            .incarnation = mark.file_pair.incarnation};
  if (state.committed != last) {
    RETURN_IF_ERROR(
        store.Commit(std::vector<dfs::AppenderCommit>{{.owner = owner, .pair = last}}).status());
  }
  dfs::AppenderEpoch epoch{.owner = owner,
                           .incarnation = state.incarnation,
                           .epoch = mark.pair.epoch + 1,
                           .committed = last,
                           .files = {}};
  for (const OpenFile& file : mark.open_files) {
    if (file.inode_id == 0) continue;  // local
    epoch.files.push_back({.target = file.inode_id,
                           .expected_length_bytes = file.length_bytes,
                           .blocks = {},
                           .close = true});
  }
  if (epoch.files.empty()) return {};
  return store.Prepare(std::vector<dfs::AppenderEpoch>{std::move(epoch)}, true).status();
}

Status CloseAllFiles(kafka::Admin& admin, const JobContext& context) {
  Result<int32_t> partitions = admin.PartitionCount(context.changelog_topic);
  if (!partitions.ok()) {
    return partitions.error().code() == Code::kNotFound ? Status() : partitions.error();
  }
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::PartitionReader> reader,
                   kafka::PartitionReader::Create({.properties = context.source_properties}));
  for (int32_t p = 0; p < *partitions; ++p) {
    ASSIGN_OR_RETURN(auto commits, ReadMarks(*reader, {context.changelog_topic, p}));
    for (const auto& [input, commit] : commits) {
      if (!commit.job || !commit.mark || commit.mark->file_pair == MarkPair{}) continue;
      if (input >= commit.job->inputs.size()) continue;
      const TaskId id{.input = input, .partition = {commit.job->inputs[input].topic, p}};
      RETURN_IF_ERROR(
          CloseFiles(*context.store, AppenderOwner(commit.job->uuid, id), *commit.mark));
    }
  }
  return {};
}

}  // namespace

Status DiscardJob(kafka::Admin& admin, const JobContext& context, const std::stop_token& stop) {
  // Members that died keep their place until their session ends.
  const milliseconds timeout = context.options.session_timeout + milliseconds(10'000);
  Status status = Persist({.waiting_for = "group_members", .timeout = timeout, .stop = stop},
                          [&] { return admin.DeleteGroup(context.group_id); });
  if (status.code() == Code::kUnavailable) {
    return FailedPrecondition(
        fmt::format("--fresh: the job is still running somewhere (group {} has members): {}",
                    context.group_id,
                    status.message()));
  }
  RETURN_IF_ERROR(status);
  if (context.store != nullptr) {
    RETURN_IF_ERROR(CloseAllFiles(admin, context).WithContext("--fresh: close files"));
  }
  RETURN_IF_ERROR(admin.DeleteTopic(context.changelog_topic));
  RETURN_IF_ERROR(admin.DeleteTopic(context.time_topic));
  log::Get("processor.job")->info("state_discarded job={}", context.options.job_name);
  return {};
}

}  // namespace slipstream::runtime
