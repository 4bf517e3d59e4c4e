#include "tests/simulation/append_job.h"

#include <utility>

#include <fmt/format.h>

#include "dfs-client/dfs_client.h"

namespace slipstream::simulation {
namespace {

constexpr Micros kPauseMax{2'000'000};
constexpr Micros kRetryPause{500'000};
constexpr uint64_t kClosePerMille = 150;
constexpr uint64_t kDeathPerMille = 40;
constexpr uint64_t kTakeoverPerMille = 60;

}  // namespace

// One worker: a process that has the task until it dies or finds that another has it.
class AppendJob::Worker final {
 public:
  Worker(AppendJob& job, Process& process, const std::string& host)
      : job_(job),
        stage_(job.stage_),
        process_(process),
        name_(process.name()),
        client_(stage_.Connect(process, host)) {}

  // Returns when the worker is dead, fenced off, or done.
  void Run() {
    while (process_.is_alive() && !stage_.scheduler().is_stopped()) {
      if (!Acquire()) {
        Pause(kRetryPause);
        continue;
      }
      while (process_.is_alive() && job_.generation_ == generation_) {
        const bool is_last = stage_.is_closed();
        const Outcome outcome = RunEpoch(is_last);
        if (outcome == Outcome::kRetired) return;
        if (outcome == Outcome::kAgain) break;
        if (is_last) {
          job_.has_closed_ = true;
          return;
        }
        Pause(Micros(job_.random_.Between(0, kPauseMax.count())));
      }
      if (job_.generation_ != generation_) return;
      Pause(kRetryPause);
    }
  }

 private:
  enum class Outcome { kDone, kAgain, kRetired };

  void Pause(Micros time) { (void)stage_.scheduler().Sleep(time); }

  void Note(const std::string& what) { stage_.scheduler().Note(name_ + " " + what); }

  // Dies here, or somebody takes over while it goes on, by chance.
  bool MayDie() {
    if (stage_.is_closed()) return false;
    if (job_.random_.PerMille(kTakeoverPerMille)) job_.StartWorker();
    if (!job_.random_.PerMille(kDeathPerMille)) return false;
    Note("dies");
    job_.StartWorker();
    process_.Kill([] {});
    return true;
  }

  bool Acquire() {
    auto state = client_->AcquireAppender(job_.name_);
    if (!state.ok()) {
      if (!IsUncertain(state.status().code())) Fail("acquire", state.status());
      return false;
    }
    generation_ = ++job_.generation_;
    incarnation_ = state->incarnation;
    Note(fmt::format("acquired incarnation={} generation={}", incarnation_, generation_));
    if (state->committed.epoch > job_.committed_.epoch) {
      stage_.Fail(fmt::format(
          "{}: epoch {} was committed and never decided", name_, state->committed.epoch));
      return false;
    }
    return job_.committed_.epoch == 0 || state->committed == job_.committed_ || Commit();
  }

  // Tells the master what was decided. A promise: it cannot be refused.
  bool Commit() {
    const dfs::AppenderCommit commit{.owner = job_.name_, .pair = job_.committed_};
    auto dropped = client_->Commit({&commit, 1});
    if (dropped.ok() && dropped->empty()) {
      // Another may have decided more meanwhile.
      if (commit.pair == job_.committed_) Publish();
      return true;
    }
    if (dropped.ok()) {
      stage_.Fail(name_ + ": the master dropped a file that nobody deleted");
    } else if (!IsUncertain(dropped.status().code()) || dropped.status().code() == Code::kAborted) {
      Fail("commit of what was prepared", dropped.status());
    }
    return false;
  }

  Outcome RunEpoch(bool is_last) {
    auto durable = Write();
    if (!durable.ok()) {
      if (!IsUncertain(durable.status().code())) Fail("write", durable.status());
      return Outcome::kAgain;
    }
    if (MayDie()) return Outcome::kRetired;
    File file = job_.NextFile();
    if (file.inode_id == 0) stage_.Want(file.path);
    dfs::FileAppend share{.expected_length_bytes = file.content.size(),
                          .blocks = std::move(*durable),
                          .close = is_last || job_.random_.PerMille(kClosePerMille)};
    const bool is_new = file.inode_id == 0;
    if (is_new) {
      share.target = file.path;
    } else {
      share.target = file.inode_id;
    }
    const bool closes = share.close;
    const dfs::EpochPair pair{.epoch = job_.committed_.epoch + 1, .incarnation = incarnation_};
    dfs::AppenderEpoch epoch{.owner = job_.name_,
                             .incarnation = pair.incarnation,
                             .epoch = pair.epoch,
                             .committed = job_.committed_};
    epoch.files.push_back(std::move(share));
    auto prepared = client_->Prepare({&epoch, 1}, false);
    Note(fmt::format(
        "prepare epoch={}/{}: {}", pair.epoch, pair.incarnation, prepared.status().ToString()));
    if (!prepared.ok()) return Refused(prepared.status(), is_new ? file.path : std::string());
    if (is_new) stage_.Promise(file.path);
    if (!prepared->front().lost_files.empty()) {
      stage_.Fail(name_ + ": the master lost a file that nobody deleted");
      return Outcome::kRetired;
    }
    if (MayDie()) return Outcome::kRetired;
    Pause(Micros(job_.random_.Between(0, kPauseMax.count() / 4)));
    if (!process_.is_alive()) return Outcome::kRetired;

    // "Kafka" decides.
    if (job_.generation_ != generation_) return Outcome::kRetired;
    file.inode_id = prepared->front().inode_ids.front();
    file.content += content_;
    file.is_closed = closes;
    Decide(std::move(file), pair);
    if (MayDie()) return Outcome::kRetired;
    // Or whoever comes next does; behind the last epoch nobody comes.
    while (!Commit() && is_last && process_.is_alive() && !stage_.scheduler().is_stopped())
      Pause(kRetryPause);
    if (MayDie()) return Outcome::kRetired;
    return Outcome::kDone;
  }

  Result<std::vector<dfs::DurableBlock>> Write() {
    std::vector<block::EncodedBlock> blocks;
    std::vector<const block::EncodedBlock*> borrowed;
    content_.clear();
    const auto count = static_cast<size_t>(job_.random_.Between(1, 3));
    for (size_t i = 0; i < count; ++i) {
      const std::string raw = stage_.NewContent();
      content_ += raw;
      block::BlockEncoder encoder(job_.compressor_);
      RETURN_IF_ERROR(encoder.Append(raw));
      blocks.push_back(encoder.Finish());
    }
    for (const block::EncodedBlock& block : blocks)
      borrowed.push_back(&block);
    return client_->WriteBlocks(job_.name_, borrowed);
  }

  // A worker that was fenced off is told so, and one whose new file's name somebody else has;
  // nobody else is refused.
  Outcome Refused(const Status& status, const std::string& new_path) {
    if (IsUncertain(status.code())) return Outcome::kAgain;
    const bool has_been_squatted = !new_path.empty() && stage_.IsSquatted(new_path) &&
                                   !stage_.IsPromised(new_path) &&
                                   status.code() == Code::kAlreadyExists;
    if (has_been_squatted) {
      ++job_.names_lost_;
      return Outcome::kAgain;
    }
    // What one candidate took the incarnation of another for, only a stale worker is told.
    Fail("prepare", status);
    return Outcome::kRetired;
  }

  void Decide(File file, const dfs::EpochPair& pair) {
    Note(fmt::format("decided epoch={}/{} {} has {} bytes",
                     pair.epoch,
                     pair.incarnation,
                     file.path,
                     file.content.size()));
    if (job_.files_.empty() || job_.files_.back().path != file.path) {
      job_.files_.push_back({.path = file.path});
    }
    const File before = std::exchange(job_.files_.back(), std::move(file));
    const File& after = job_.files_.back();
    job_.committed_ = pair;
    std::vector<Content> possible = {std::make_shared<const std::string>(after.content)};
    possible.push_back(before.inode_id == 0 ? nullptr
                                            : std::make_shared<const std::string>(before.content));
    stage_.history().Set(after.path, possible, stage_.now());
    stage_.Count();
  }

  // The master has committed: from now on nothing older is seen.
  void Publish() {
    const File& file = job_.files_.back();
    stage_.history().Set(
        file.path, {std::make_shared<const std::string>(file.content)}, stage_.now());
  }

  void Fail(const std::string& what, const Status& status) {
    stage_.Fail(fmt::format("{}: {}: {}", name_, what, status.ToString()));
  }

  AppendJob& job_;
  Stage& stage_;
  Process& process_;
  const std::string name_;
  const std::unique_ptr<dfs::DfsClient> client_;
  uint64_t generation_ = 0;
  uint64_t incarnation_ = 0;
  std::string content_;
};

AppendJob::AppendJob(Stage& stage, const std::string& name)
    : stage_(stage), name_(name), random_(stage.random().Fork()), compressor_(1) {}

AppendJob::~AppendJob() = default;

void AppendJob::Start() {
  StartWorker();
}

void AppendJob::Stop() {
  for (auto& process : processes_)
    process->Kill([] {});
}

void AppendJob::StartWorker() {
  const std::string host = fmt::format("{}-{}", name_, ++workers_started_);
  processes_.push_back(std::make_unique<Process>(stage_.scheduler(), host, Micros(0)));
  Process& process = *processes_.back();
  ++workers_running_;
  stage_.scheduler().Spawn(&process, [this, &process, host] {
    (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kPauseMax.count())));
    Worker(*this, process, host).Run();
    --workers_running_;
    // Somebody always has the task.
    if (workers_running_ == 0 && !has_closed_ && !stage_.scheduler().is_stopped()) StartWorker();
  });
}

AppendJob::File AppendJob::NextFile() const {
  if (!files_.empty() && !files_.back().is_closed) return files_.back();
  return {.path = fmt::format("/{}/part-{}", name_, files_.size() + names_lost_)};
}

void AppendJob::CheckAll() {
  Process process(stage_.scheduler(), name_ + "-check", Micros(0));
  auto client = stage_.Connect(process, name_ + "-check");
  for (const File& file : files_) {
    auto reader = client->OpenFile(file.path);
    std::string content;
    Status status = reader.status();
    while (status.ok()) {
      auto chunk = (*reader)->Next();
      status = chunk.status();
      if (!chunk.ok() || chunk->empty()) break;
      content += *chunk;
    }
    if (!status.ok())
      return stage_.Fail(fmt::format("{} is lost: {}", file.path, status.ToString()));
    if (content != file.content) {
      return stage_.Fail(fmt::format("{} holds {} bytes, and {} were decided",
                                     file.path,
                                     content.size(),
                                     file.content.size()));
    }
  }
}

}  // namespace slipstream::simulation
