#include "tests/simulation/trash_user.h"

#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/dfs_client.h"
#include "tests/simulation/tree_keeper.h"

namespace slipstream::simulation {
namespace {

const std::string kHome = "/user/trasher";
const std::string kTrash = kHome + "/.Trash";
const std::string kCurrent = kTrash + "/Current";
constexpr Micros kPauseMax{5'000'000};
// Checkpoints are named by the second in which they began.
constexpr Micros kNamedBy{1'000'000};
// Two intervals, and a round that a restart broke off is made up for by the next.
constexpr Micros kEmptyWithin = 4 * TrashUser::kInterval + std::chrono::seconds(60);

}  // namespace

TrashUser::TrashUser(Stage& stage)
    : stage_(stage),
      random_(stage.random().Fork()),
      process_(stage.scheduler(), "trasher", Micros(0)),
      client_(stage.Connect(process_, "trasher")) {}

TrashUser::~TrashUser() = default;

void TrashUser::Start() {
  stage_.scheduler().Spawn(&process_, [this] { Run(); });
}

void TrashUser::Pause() {
  (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kPauseMax.count())));
}

void TrashUser::Run() {
  while (!stage_.is_closed()) {
    if (random_.PerMille(600)) {
      RemoveSomething();
    } else {
      LookForOne();
    }
    Pause();
  }
  AwaitEmpty();
  has_ended_ = true;
}

void TrashUser::RemoveSomething() {
  const std::string name = fmt::format("f{}", ++files_);
  const std::string path = kHome + "/" + name;
  const auto content = std::make_shared<const std::string>(stage_.NewContent());
  auto writer = client_->CreateFile(path, {});
  if (!writer->Write(*content).ok() || !writer->Close().ok()) return;
  if (!client_->MakeDirectory(kCurrent, true).ok()) return;
  // The trash may be rolled on in between, and its directory be another by now.
  // Whatever becomes of its answer, it may have been carried out at once.
  const Micros began = stage_.now();
  const Status status = client_->Rename(path, kCurrent + "/" + name, false);
  stage_.scheduler().Note(fmt::format("trasher removes {}: {}", path, status.ToString()));
  if (!status.ok()) return;
  removed_[name] = {.at = began, .content = content};
  stage_.Count();
}

Result<Content> TrashUser::Read(const std::string& path) {
  auto reader = client_->OpenFile(path);
  RETURN_IF_ERROR(reader.status());
  ASSIGN_OR_RETURN(std::string bytes, ReadAll(**reader));
  return std::make_shared<const std::string>(std::move(bytes));
}

// Nothing comes back from a checkpoint: what is not below Current is below one that is listed
// after.
Result<Content> TrashUser::Find(const std::string& name) {
  auto found = Read(kCurrent + "/" + name);
  if (found.ok() || found.status().code() != Code::kNotFound) return found;
  ASSIGN_OR_RETURN(std::vector<dfs::FileStatus> entries, client_->ListAll(kTrash));
  for (const dfs::FileStatus& entry : entries) {
    found = Read(fmt::format("{}/{}/{}", kTrash, entry.name, name));
    if (found.ok() || found.status().code() != Code::kNotFound) return found;
  }
  return NotFound("in no part of the trash");
}

void TrashUser::LookForOne() {
  if (removed_.empty()) return;
  const auto& [name, removed] =
      *std::next(removed_.begin(), static_cast<std::ptrdiff_t>(random_.Below(removed_.size())));
  const Result<Content> found = Find(name);
  if (found.ok() && **found != *removed.content) {
    return stage_.Fail(fmt::format("{} in the trash holds {}", name, Describe(*found)));
  }
  const bool must_be_there =
      stage_.now() < removed.at + kInterval - kNamedBy && !stage_.has_master_clock_jumped();
  if (found.status().code() == Code::kNotFound && must_be_there) {
    stage_.Fail(fmt::format("{} is in the trash no more", name));
  }
}

void TrashUser::AwaitEmpty() {
  // What is named after an hour to come would stay so long.
  while (stage_.has_master_clock_jumped() && !stage_.scheduler().is_stopped()) {
    const Status status = client_->Delete(kTrash, true);
    if (status.ok() || status.code() == Code::kNotFound) return;
    Pause();
  }
  const Micros deadline = stage_.now() + kEmptyWithin;
  while (!stage_.scheduler().is_stopped()) {
    auto entries = client_->ListAll(kTrash);
    const bool is_empty =
        entries.ok() ? entries->empty() : entries.status().code() == Code::kNotFound;
    if (is_empty) return;
    if (entries.ok() && stage_.now() > deadline) {
      return stage_.Fail("the trash still has " + entries->front().name);
    }
    Pause();
  }
}

}  // namespace slipstream::simulation
