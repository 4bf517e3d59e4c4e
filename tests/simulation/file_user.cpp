#include "tests/simulation/file_user.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/admin_client.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::simulation {
namespace {

constexpr Micros kPauseMax{3'000'000};
constexpr Micros kLookPause{1'000'000};
constexpr Micros kSlowReadMax{30'000'000};
constexpr Micros kAppendPauseMax{6'000'000};
constexpr std::chrono::milliseconds kLease{10'000};
constexpr uint64_t kKilledPerMille = 60;
constexpr Micros kKilledAfterMax{3'000'000};

}  // namespace

FileUser::FileUser(Stage& stage, const std::string& name)
    : stage_(stage),
      name_(name),
      root_("/" + name),
      random_(stage.random().Fork()),
      process_(stage.scheduler(), name, Micros(0)),
      client_(stage.Connect(process_, name)),
      keeper_(stage, name, root_, *client_) {}

FileUser::~FileUser() = default;

FileUser::Program::Program(Stage& stage, const std::string& name)
    : process(stage.scheduler(), name, Micros(0)), client(stage.Connect(process, name)) {}

void FileUser::Start() {
  stage_.scheduler().Spawn(&process_, [this] { Run(); });
}

void FileUser::Run() {
  while (!client_->MakeDirectory(root_, true).ok() && !stage_.scheduler().is_stopped())
    (void)stage_.scheduler().Sleep(kLookPause);
  while (!stage_.is_closed()) {
    Step();
    (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kPauseMax.count())));
  }
  has_ended_ = true;
}

// ---- What he does ----

std::string FileUser::SomePath() {
  const uint64_t number = random_.Below(6);
  return random_.PerMille(300) ? fmt::format("{}/d{}/f{}", root_, random_.Below(2), number)
                               : fmt::format("{}/f{}", root_, number);
}

std::string FileUser::SomeFile() {
  std::vector<std::string> files;
  for (const auto& [path, content] : tree().entries()) {
    if (content != nullptr) files.push_back(path);
  }
  return files.empty() ? SomePath() : random_.Pick(files);
}

void FileUser::Step() {
  // Now and then another program of his has it to do, and is killed in the middle.
  if (random_.PerMille(kKilledPerMille)) StartDoomed();
  Act();
  doomed_ = nullptr;
}

void FileUser::StartDoomed() {
  programs_.push_back(std::make_unique<Program>(stage_, name_));
  doomed_ = programs_.back().get();
  stage_.scheduler().After(Micros(random_.Between(0, kKilledAfterMax.count())),
                           [&process = doomed_->process] { process.Kill([] {}); });
}

void FileUser::Act() {
  const uint64_t choice = random_.Below(100);
  if (choice < 26) {
    MakeFile();
  } else if (choice < 33) {
    DeleteSomething();
  } else if (choice < 42) {
    RenameSomething();
  } else if (choice < 46) {
    const std::string path = fmt::format("{}/d{}", root_, random_.Below(3));
    keeper_.Do(
        "mkdir " + path,
        [&](TreeModel& tree) { return tree.MakeDirectory(path); },
        [&] { return acting().MakeDirectory(path, false).status(); });
  } else if (choice < 50) {
    TruncateSomething();
  } else if (choice < 54) {
    ConcatSomething();
  } else if (choice < 60) {
    SetSomething();
  } else if (choice < 65) {
    Append();
  } else if (choice < 67) {
    Squat();
  } else if (choice < 71) {
    keeper_.List();
  } else {
    Read();
  }
}

void FileUser::MakeFile() {
  const std::string path = SomePath();
  const auto content = std::make_shared<const std::string>(stage_.NewContent());
  const bool replace = random_.PerMille(600);
  // What takes the place of more bytes fits.
  if (replace && tree().HasNoSpace()) return;
  keeper_.Do(
      fmt::format("put {} {} replace={}", path, Describe(content), replace),
      [&](TreeModel& tree) { return tree.Put(path, content, replace); },
      [&] { return Put(path, *content, replace); });
}

void FileUser::DeleteSomething() {
  const std::string path = random_.PerMille(200) ? root_ + "/d0" : SomeFile();
  const bool recursive = random_.PerMille(500);
  keeper_.Do(
      fmt::format("delete {} recursive={}", path, recursive),
      [&](TreeModel& tree) { return tree.Delete(path, recursive); },
      [&] { return acting().Delete(path, recursive); });
}

void FileUser::RenameSomething() {
  const bool moves_directory = random_.PerMille(150);
  const std::string source = moves_directory ? root_ + "/d0" : SomeFile();
  const std::string target = moves_directory ? root_ + "/d1" : SomePath();
  const bool replace = random_.PerMille(500);
  keeper_.Do(
      fmt::format("rename {} {} replace={}", source, target, replace),
      [&](TreeModel& tree) { return tree.Rename(source, target, replace); },
      [&] { return acting().Rename(source, target, replace); });
}

void FileUser::TruncateSomething() {
  const std::string path = SomeFile();
  const Content content = tree().Find(path);
  const uint64_t length = content == nullptr ? 0 : random_.Below(content->size() + 2);
  keeper_.Do(
      fmt::format("truncate {} {}", path, length),
      [&](TreeModel& tree) { return tree.Truncate(path, length); },
      [&] { return acting().Truncate(path, length); });
}

void FileUser::ConcatSomething() {
  const std::string target = SomeFile();
  std::vector<std::string> sources(1 + random_.Below(2));
  for (std::string& source : sources)
    source = SomeFile();
  // What joins a file of more replicas takes more room: whether it fits is not modelled.
  if (tree().HasNoSpace()) return;
  keeper_.Do(
      fmt::format("concat {} and {}", target, fmt::join(sources, ", ")),
      [&](TreeModel& tree) { return tree.Concat(target, sources); },
      [&] { return acting().Concat(target, sources); });
}

void FileUser::SetSomething() {
  const uint64_t choice = random_.Below(3);
  const std::string path = SomeFile();
  if (choice == 0 && !tree().HasNoSpace()) {
    // One replica would not survive what is done to the fragile node.
    const auto replication =
        static_cast<uint32_t>(random_.Between(2, static_cast<int64_t>(stage_.replication_max())));
    keeper_.Do(
        fmt::format("setrep {} {}", path, replication),
        [&](TreeModel& tree) {
          return tree.SetAttributes(path, {.replication = replication}, true);
        },
        [&] { return acting().SetReplication(path, replication); });
  } else if (choice == 1) {
    Attributes change{.owner = fmt::format("o{}", random_.Below(100))};
    if (random_.PerMille(500)) change.mode = static_cast<uint32_t>(random_.Below(512));
    if (random_.PerMille(300)) change.modified_at_ms = random_.Between(0, 1'000'000);
    keeper_.Do(
        fmt::format("set attributes of {}", path),
        [&](TreeModel& tree) { return tree.SetAttributes(path, change, false); },
        [&] {
          return acting()
              .SetAttributes(path,
                             {.owner = change.owner,
                              .mode = change.mode,
                              .modified_at_ms = change.modified_at_ms})
              .status();
        });
  } else {
    SetQuota();
  }
}

void FileUser::SetQuota() {
  Attributes change;
  if (random_.PerMille(500)) {
    // As many names as there are, and a few more, or less; or any number.
    change.names_max = random_.PerMille(500) ? 0 : tree().entries().size() + random_.Below(6);
  } else {
    // No limit, one that is never reached, or one that nothing fits into.
    static const std::vector<uint64_t> kLimits = {0, 0, uint64_t{1} << 40, TreeModel::kNoSpace};
    change.space_max_bytes = random_.Pick(kLimits);
  }
  keeper_.Do(
      fmt::format("set the quota of {} to {} names, {} bytes",
                  root_,
                  change.names_max.value_or(0),
                  change.space_max_bytes.value_or(0)),
      [&](TreeModel& tree) { return tree.SetAttributes(root_, change, false); },
      [&] {
        return dfs::AdminClient(acting()).SetQuota(
            root_, {.names_max = change.names_max, .space_max_bytes = change.space_max_bytes});
      });
}

// With several flushes, each a change of its own; a writer that gives up in the middle leaves the
// file to others.
void FileUser::Append() {
  const std::string path = SomeFile();
  if (!tree().IsFile(path)) return;
  keeper_.Touch(path);  // as its being opened and closed does
  const Micros began = stage_.now();
  auto appender = acting().AppendFile(path, {.lease = kLease});
  stage_.scheduler().Note(
      fmt::format("{} appends to {}: {}", name_, path, appender.status().ToString()));
  if (!appender.ok()) {
    if (IsUncertain(appender.status().code())) return keeper_.LeaveToLease();
    if (!keeper_.MayBeRefused(began)) {
      stage_.Fail(fmt::format("{}: append {}: {}", name_, path, appender.status().ToString()));
    }
    return;
  }
  const int64_t flushes = random_.Between(0, 3);
  bool is_well = true;
  for (int64_t i = 0; i < flushes && is_well && !stage_.scheduler().is_stopped(); ++i) {
    const std::string more = stage_.NewContent();
    is_well = keeper_.Do(
        fmt::format("append {} bytes to {}", more.size(), path),
        [&](TreeModel& tree) { return tree.Append(path, more); },
        [&] {
          RETURN_IF_ERROR((*appender)->Write(more));
          return (*appender)->Flush();
        });
    (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kAppendPauseMax.count())));
  }
  // What a writer that does not close leaves behind, its lease takes away.
  if (!is_well || random_.PerMille(200) || !(*appender)->Close().ok()) keeper_.LeaveToLease();
}

// Tries to have a name that an appender is about to have.
void FileUser::Squat() {
  if (stage_.wanted().empty()) return;
  const std::vector<std::string> paths(stage_.wanted().begin(), stage_.wanted().end());
  // The others most likely are there already.
  const std::string path = random_.PerMille(700) ? stage_.newest_wanted() : random_.Pick(paths);
  const bool is_promised = stage_.IsPromised(path);
  stage_.Squat(path);
  const Status status = acting().MakeDirectory(path, false).status();
  stage_.scheduler().Note(fmt::format("{} squats on {}: {}", name_, path, status.ToString()));
  if (status.ok() && is_promised) {
    stage_.Fail(fmt::format("{} got the name {}, which was promised to another", name_, path));
  }
}

Status FileUser::Put(const std::string& path, const std::string& content, bool replace) {
  auto writer = acting().CreateFile(path, {.replace = replace});
  RETURN_IF_ERROR(writer->Write(content));
  return writer->Close();
}

// ---- What he reads ----

void FileUser::Read() {
  const auto& paths = stage_.history().paths();
  if (paths.empty()) return;
  const std::string path = random_.Pick(paths);
  const bool is_range = random_.PerMille(400);
  const Micros began = stage_.now();
  auto reader = client_->OpenFile(path);
  const Micros opened = stage_.now();
  // Now and then a reader takes its time, and what it reads is moved, merged or deleted meanwhile.
  if (reader.ok() && random_.PerMille(150)) {
    (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kSlowReadMax.count())));
  }
  const uint64_t length = reader.ok() ? (*reader)->status().length_bytes : 0;
  const uint64_t offset = is_range ? random_.Below(length + 1) : 0;
  const uint64_t count = is_range ? random_.Below(length - offset + 1) : length;
  Result<std::string> content = reader.status();
  if (reader.ok()) content = is_range ? (*reader)->ReadAt(offset, count) : ReadAll(**reader);
  const Code code = content.status().code();
  stage_.scheduler().Note(fmt::format(
      "{} read {} [{}, +{}): {}", name_, path, offset, count, content.status().ToString()));

  PathHistory& history = stage_.history();
  if (content.ok()) {
    const bool is_right = history.Allows(path, began, opened, [&](const Content& held) {
      return held != nullptr && held->size() == length &&
             held->compare(offset, count, *content) == 0 && content->size() == count;
    });
    if (!is_right) {
      return stage_.Fail(
          fmt::format("{} read of {}, at {}, {} of {} bytes \"{}\" that were not there",
                      name_,
                      path,
                      offset,
                      content->size(),
                      length,
                      content->substr(0, 40)));
    }
    stage_.Count();
    return;
  }
  if (!reader.ok() && (code == Code::kNotFound || code == Code::kFailedPrecondition)) {
    // A directory, too, is no file.
    const bool may_be =
        history.Allows(path, began, opened, [](const Content& held) { return held == nullptr; });
    if (!may_be) {
      stage_.Fail(fmt::format("{} does not find {}: {}", name_, path, content.status().ToString()));
    }
    return;
  }
  if (stage_.calm_since() <= began) {
    // Nothing is broken; but it may have been changed or deleted while it was read.
    const bool was_changed = history.Allows(path, opened, stage_.now(), [&](const Content& held) {
      return held == nullptr || held->size() != length;
    });
    if (!was_changed) {
      stage_.Fail(fmt::format("{} cannot read {} although nothing is broken: {}",
                              name_,
                              path,
                              content.status().ToString()));
    }
  }
}

}  // namespace slipstream::simulation
