#include "processor/runtime/discard.h"

#include <charconv>
#include <functional>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "common/kafka/partition_reader.h"
#include "common/log/log.h"
#include "processor/runtime/changelog_scan.h"
#include "processor/runtime/patience.h"
#include "processor/runtime/task.h"
#include "processor/state/changelog.h"
#include "processor/state/job_record.h"
#include "processor/state/mark.h"

namespace slipstream::runtime {
namespace {

using std::chrono::milliseconds;

struct LastCommit {
  std::optional<JobRecord> job;
  std::optional<Mark> mark;
};

// A topic of the job's own, of a stage or a watched folder.
struct StageTopic {
  uint32_t stage = 0;
  std::string name;
  int32_t partition_count = 0;
};

// The topics named `<prefix><stage><suffix>`: of all stages that the job ever had, which may not be
// those of the program at hand.
Result<std::vector<StageTopic>> ListStageTopics(kafka::Admin& admin,
                                                const std::string& prefix,
                                                const std::string& suffix) {
  ASSIGN_OR_RETURN(const auto topics, admin.ListTopics());
  std::vector<StageTopic> found;
  for (const auto& [name, partition_count] : topics) {
    if (name.size() <= prefix.size() + suffix.size()) continue;
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    const char* const begin = name.data() + prefix.size();
    const char* const end = name.data() + name.size() - suffix.size();
    StageTopic topic{.stage = 0, .name = name, .partition_count = partition_count};
    const auto [last, error] = std::from_chars(begin, end, topic.stage);
    if (error == std::errc() && last == end) found.push_back(std::move(topic));
  }
  return found;
}

Result<std::vector<StageTopic>> ListChangelogs(kafka::Admin& admin, const JobContext& context) {
  return ListStageTopics(admin, context.options.job_name + "-", "-changelog");
}

// The last marks in one partition of the changelog, by input.
Result<std::map<uint8_t, LastCommit>> ReadMarks(kafka::PartitionReader& reader,
                                                const kafka::TopicPartition& partition) {
  std::map<uint8_t, LastCommit> commits;
  const auto take = [&commits](const kafka::Record& record) -> Result<bool> {
    if (!record.key || !record.value) return true;
    ASSIGN_OR_RETURN(ChangelogKey key, ParseChangelogKey(*record.key));
    if (key.kind == ChangelogKind::kJob) {
      ASSIGN_OR_RETURN(commits[key.input].job, ParseJobRecord(*record.value));
    } else if (key.kind == ChangelogKind::kMark) {
      ASSIGN_OR_RETURN(commits[key.input].mark, ParseMark(*record.value));
    }
    return true;
  };
  RETURN_IF_ERROR(ScanPartition(reader, partition, kafka::kOffsetBeginning, {}, take).status());
  return commits;
}

dfs::EpochPair FilePair(const Mark& mark) {
  return {.epoch = mark.file_pair.epoch, .incarnation = mark.file_pair.incarnation};
}

// Makes visible what the mark recorded.
Status SettleFiles(dfs::AppendStore& store, const std::string& owner, const Mark& mark) {
  if (mark.file_pair == MarkPair{}) return {};  // it has never written
  ASSIGN_OR_RETURN(dfs::AppenderState state, store.AcquireAppender(owner));
  if (state.committed == FilePair(mark)) return {};
  const dfs::AppenderCommit commit{.owner = owner, .pair = FilePair(mark)};
  return store.Commit(std::vector<dfs::AppenderCommit>{commit}).status();
}

// Calls `visit` for every task of the job.
Status ForEachTask(kafka::Admin& admin,
                   const JobContext& context,
                   const std::function<Status(const std::string& owner, const Mark& mark)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<StageTopic> changelogs, ListChangelogs(admin, context));
  ASSIGN_OR_RETURN(std::unique_ptr<kafka::PartitionReader> reader,
                   kafka::PartitionReader::Create({.properties = context.source_properties}));
  for (const StageTopic& changelog : changelogs) {
    for (int32_t p = 0; p < changelog.partition_count; ++p) {
      ASSIGN_OR_RETURN(auto commits, ReadMarks(*reader, {changelog.name, p}));
      for (const auto& [input, commit] : commits) {
        if (!commit.job || !commit.mark) continue;
        if (input >= commit.job->inputs.size()) continue;
        // The inputs of stage 0 come first; every other stage has one.
        const TaskId id{.input = input,
                        .stage = changelog.stage,
                        .place = changelog.stage == 0 ? input : 0U,
                        .partition = {commit.job->inputs[input].topic, p}};
        RETURN_IF_ERROR(visit(AppenderOwner(commit.job->uuid, id), *commit.mark));
      }
    }
  }
  return {};
}

}  // namespace

Status GiveUpFiles(dfs::AppendStore& store, const std::string& owner, const Mark& mark) {
  Status settled = SettleFiles(store, owner, mark);
  switch (settled.code()) {
    case Code::kFailedPrecondition:
    case Code::kNotFound:
      // A master that was set up anew, or from an older copy, knows nothing of what Kafka has
      // recorded. That must not keep the job from being started anew as well.
      log::Get("processor.job")
          ->warn(
              "files_unknown_to_master owner={} reason={}", owner, log::Quoted(settled.message()));
      break;
    default:
      RETURN_IF_ERROR(settled);
  }
  // What was prepared and never committed, by the first epoch too, and files that are still open.
  Status aborted = store.AbortAppender(owner).status();
  return aborted.code() == Code::kNotFound ? Status() : aborted;
}

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
    auto give_up = [&](const std::string& owner, const Mark& mark) {
      return GiveUpFiles(*context.store, owner, mark);
    };
    RETURN_IF_ERROR(ForEachTask(admin, context, give_up).WithContext("--fresh: close files"));
  }
  ASSIGN_OR_RETURN(std::vector<StageTopic> topics, ListChangelogs(admin, context));
  for (const char* const kind : {"-repartition-", "-files-"}) {
    ASSIGN_OR_RETURN(const std::vector<StageTopic> more,
                     ListStageTopics(admin, context.options.job_name + kind, ""));
    topics.insert(topics.end(), more.begin(), more.end());
  }
  for (const StageTopic& topic : topics)
    RETURN_IF_ERROR(admin.DeleteTopic(topic.name));
  RETURN_IF_ERROR(admin.DeleteTopic(context.time_topic));
  log::Get("processor.job")->info("state_discarded job={}", context.options.job_name);
  return {};
}

Status SettleJob(kafka::Admin& admin, const JobContext& context) {
  return ForEachTask(admin, context, [&](const std::string& owner, const Mark& mark) {
    return SettleFiles(*context.store, owner, mark);
  });
}

}  // namespace slipstream::runtime
