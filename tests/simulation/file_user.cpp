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
constexpr int kLooksMax = 200;
constexpr Micros kSlowReadMax{30'000'000};
constexpr Micros kAppendPauseMax{6'000'000};
constexpr std::chrono::milliseconds kLease{10'000};
// A master that was restarted gives every lease its time anew.
constexpr Micros kLeaseIsOverAfter{120'000'000};
// With retries, a message of an operation is not on the way longer than this after it has failed.
constexpr Micros kSettleTime = Network::kMessageLifeMax + Micros(2'000'000);

std::string Describe(const Content& content) {
  if (content == nullptr) return "no file";
  return fmt::format("{} bytes \"{}\"", content->size(), content->substr(0, content->find('>')));
}

// Whether a path is the same in both.
bool IsSame(const TreeModel& a, const TreeModel& b, const std::string& path) {
  if (a.Contains(path) != b.Contains(path)) return false;
  const Content x = a.Find(path);
  const Content y = b.Find(path);
  const bool is_same_content = x == y || (x != nullptr && y != nullptr && *x == *y);
  return is_same_content && a.FindAttributes(path) == b.FindAttributes(path);
}

// Whether a file or directory is as it was set to be.
bool IsAsSet(const Attributes& set, const dfs::FileStatus& status) {
  const uint64_t names_max = status.quota.has_value() ? status.quota->names_max : 0;
  return set.replication.value_or(status.replication) == status.replication &&
         set.mode.value_or(status.mode) == status.mode &&
         set.owner.value_or(status.owner) == status.owner &&
         set.modified_at_ms.value_or(status.modified_at_ms) == status.modified_at_ms &&
         set.names_max.value_or(names_max) == names_max;
}

}  // namespace

FileUser::FileUser(Stage& stage, const std::string& name)
    : stage_(stage),
      name_(name),
      root_("/" + name),
      random_(stage.random().Fork()),
      process_(stage.scheduler(), name, Micros(0)),
      client_(stage.Connect(process_, name)),
      tree_(root_) {}

FileUser::~FileUser() = default;

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
  for (const auto& [path, content] : tree_.entries()) {
    if (content != nullptr) files.push_back(path);
  }
  return files.empty() ? SomePath() : random_.Pick(files);
}

void FileUser::Step() {
  const uint64_t choice = random_.Below(100);
  if (choice < 26) {
    MakeFile();
  } else if (choice < 33) {
    DeleteSomething();
  } else if (choice < 42) {
    RenameSomething();
  } else if (choice < 46) {
    const std::string path = fmt::format("{}/d{}", root_, random_.Below(3));
    Do(
        "mkdir " + path,
        [&](TreeModel& tree) { return tree.MakeDirectory(path); },
        [&] { return client_->MakeDirectory(path, false).status(); });
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
    List();
  } else {
    Read();
  }
}

void FileUser::MakeFile() {
  const std::string path = SomePath();
  const auto content = std::make_shared<const std::string>(stage_.NewContent());
  const bool replace = random_.PerMille(600);
  Do(
      fmt::format("put {} {} replace={}", path, Describe(content), replace),
      [&](TreeModel& tree) { return tree.Put(path, content, replace); },
      [&] { return Put(path, *content, replace); });
}

void FileUser::DeleteSomething() {
  const std::string path = random_.PerMille(200) ? root_ + "/d0" : SomeFile();
  const bool recursive = random_.PerMille(500);
  Do(
      fmt::format("delete {} recursive={}", path, recursive),
      [&](TreeModel& tree) { return tree.Delete(path, recursive); },
      [&] { return client_->Delete(path, recursive); });
}

void FileUser::RenameSomething() {
  const bool moves_directory = random_.PerMille(150);
  const std::string source = moves_directory ? root_ + "/d0" : SomeFile();
  const std::string target = moves_directory ? root_ + "/d1" : SomePath();
  const bool replace = random_.PerMille(500);
  Do(
      fmt::format("rename {} {} replace={}", source, target, replace),
      [&](TreeModel& tree) { return tree.Rename(source, target, replace); },
      [&] { return client_->Rename(source, target, replace); });
}

void FileUser::TruncateSomething() {
  const std::string path = SomeFile();
  const Content content = tree_.Find(path);
  const uint64_t length = content == nullptr ? 0 : random_.Below(content->size() + 2);
  Do(
      fmt::format("truncate {} {}", path, length),
      [&](TreeModel& tree) { return tree.Truncate(path, length); },
      [&] { return client_->Truncate(path, length); });
}

void FileUser::ConcatSomething() {
  const std::string target = SomeFile();
  std::vector<std::string> sources(1 + random_.Below(2));
  for (std::string& source : sources)
    source = SomeFile();
  Do(
      fmt::format("concat {} and {}", target, fmt::join(sources, ", ")),
      [&](TreeModel& tree) { return tree.Concat(target, sources); },
      [&] { return client_->Concat(target, sources); });
}

void FileUser::SetSomething() {
  const uint64_t choice = random_.Below(3);
  const std::string path = SomeFile();
  if (choice == 0) {
    // One replica would not survive what is done to the fragile node.
    const auto replication =
        static_cast<uint32_t>(random_.Between(2, static_cast<int64_t>(stage_.replication_max())));
    Do(
        fmt::format("setrep {} {}", path, replication),
        [&](TreeModel& tree) {
          return tree.SetAttributes(path, {.replication = replication}, true);
        },
        [&] { return client_->SetReplication(path, replication); });
  } else if (choice == 1) {
    Attributes change{.owner = fmt::format("o{}", random_.Below(100))};
    if (random_.PerMille(500)) change.mode = static_cast<uint32_t>(random_.Below(512));
    if (random_.PerMille(300)) change.modified_at_ms = random_.Between(0, 1'000'000);
    Do(
        fmt::format("set attributes of {}", path),
        [&](TreeModel& tree) { return tree.SetAttributes(path, change, false); },
        [&] {
          return client_
              ->SetAttributes(path,
                              {.owner = change.owner,
                               .mode = change.mode,
                               .modified_at_ms = change.modified_at_ms})
              .status();
        });
  } else {
    // As many names as there are, and a few more, or less; or any number.
    const uint64_t names_max =
        random_.PerMille(500) ? 0 : tree_.entries().size() + random_.Below(6);
    Do(
        fmt::format("set the quota of {} to {} names", root_, names_max),
        [&](TreeModel& tree) { return tree.SetAttributes(root_, {.names_max = names_max}, false); },
        [&] { return dfs::AdminClient(*client_).SetQuota(root_, {.names_max = names_max}); });
  }
}

// With several flushes, each a change of its own; a writer that gives up in the middle leaves the
// file to others.
void FileUser::Append() {
  const std::string path = SomeFile();
  if (!tree_.IsFile(path)) return;
  tree_.Touch(path);  // as its being opened and closed does
  const Micros began = stage_.now();
  auto appender = client_->AppendFile(path, {.lease = kLease});
  stage_.scheduler().Note(
      fmt::format("{} appends to {}: {}", name_, path, appender.status().ToString()));
  if (!appender.ok()) {
    if (IsUncertain(appender.status().code())) return LeaveToLease();
    if (stage_.now() >= has_left_file_until_ && !stage_.MayHaveBeenFrozenSince(began)) {
      stage_.Fail(fmt::format("{}: append {}: {}", name_, path, appender.status().ToString()));
    }
    return;
  }
  const int64_t flushes = random_.Between(0, 3);
  bool is_well = true;
  for (int64_t i = 0; i < flushes && is_well && !stage_.scheduler().is_stopped(); ++i) {
    const std::string more = stage_.NewContent();
    is_well = Do(
        fmt::format("append {} bytes to {}", more.size(), path),
        [&](TreeModel& tree) { return tree.Append(path, more); },
        [&] {
          RETURN_IF_ERROR((*appender)->Write(more));
          return (*appender)->Flush();
        });
    (void)stage_.scheduler().Sleep(Micros(random_.Between(0, kAppendPauseMax.count())));
  }
  // What a writer that does not close leaves behind, its lease takes away.
  if (!is_well || random_.PerMille(200) || !(*appender)->Close().ok()) LeaveToLease();
}

void FileUser::LeaveToLease() {
  has_left_file_until_ = stage_.now() + kLeaseIsOverAfter;
}

// Tries to have a name that an appender is about to have.
void FileUser::Squat() {
  if (stage_.wanted().empty()) return;
  const std::vector<std::string> paths(stage_.wanted().begin(), stage_.wanted().end());
  // The others most likely are there already.
  const std::string path = random_.PerMille(700) ? stage_.newest_wanted() : random_.Pick(paths);
  const bool is_promised = stage_.IsPromised(path);
  stage_.Squat(path);
  const Status status = client_->MakeDirectory(path, false).status();
  stage_.scheduler().Note(fmt::format("{} squats on {}: {}", name_, path, status.ToString()));
  if (status.ok() && is_promised) {
    stage_.Fail(fmt::format("{} got the name {}, which was promised to another", name_, path));
  }
}

Status FileUser::Put(const std::string& path, const std::string& content, bool replace) {
  auto writer = client_->CreateFile(path, {.replace = replace});
  RETURN_IF_ERROR(writer->Write(content));
  return writer->Close();
}

bool FileUser::Do(const std::string& what,
                  const Change& change,
                  const std::function<Status()>& operation) {
  TreeModel after = tree_;
  const bool can = change(after);
  if (can) Publish(&after);
  stage_.scheduler().Note(name_ + " " + what);
  const Micros began = stage_.now();
  const Status status = operation();
  stage_.scheduler().Note(fmt::format("{} {}: {}", name_, what, status.ToString()));
  const bool may_be_refused =
      status.code() == Code::kFailedPrecondition &&
      (stage_.now() < has_left_file_until_ || stage_.MayHaveBeenFrozenSince(began));
  if (status.ok() && (!can || stage_.HasBeenFrozenSince(began))) {
    stage_.Fail(fmt::format("{}: {} succeeded and cannot", name_, what));
  } else if (status.ok()) {
    tree_ = std::move(after);
    stage_.Count();
  } else if (IsUncertain(status.code())) {
    if (can) Settle(what, after);
  } else if (can && !may_be_refused) {
    stage_.Fail(fmt::format("{}: {}: {}", name_, what, status.ToString()));
  } else {
    stage_.Count();
  }
  Publish(nullptr);
  return status.ok();
}

// ---- What he knows ----

void FileUser::Publish(const TreeModel* other) {
  std::set<std::string> paths;
  for (const auto& [path, content] : tree_.entries())
    paths.insert(path);
  for (const std::string& path : stage_.history().paths()) {
    if (path.starts_with(root_ + "/")) paths.insert(path);
  }
  if (other != nullptr) {
    for (const auto& [path, content] : other->entries())
      paths.insert(path);
  }
  for (const std::string& path : paths) {
    std::vector<Content> possible = {tree_.Find(path)};
    if (other != nullptr) possible.push_back(other->Find(path));
    stage_.history().Set(path, possible, stage_.now());
  }
}

void FileUser::Settle(const std::string& what, const TreeModel& after) {
  (void)stage_.scheduler().Sleep(kSettleTime);
  // One path that tells the two apart is enough: an operation happens as a whole.
  std::set<std::string> paths;
  for (const TreeModel* tree : {&std::as_const(tree_), &after}) {
    for (const auto& [path, content] : tree->entries())
      paths.insert(path);
  }
  for (const std::string& path : paths) {
    if (IsSame(tree_, after, path)) continue;
    std::optional<Seen> seen = Look(path);
    if (!seen.has_value()) return;
    const bool is_before = IsAs(tree_, path, *seen);
    const bool is_after = IsAs(after, path, *seen);
    if (!is_before && !is_after) {
      return stage_.Fail(fmt::format("{}: after {} with an unknown outcome, {} has {}",
                                     name_,
                                     what,
                                     path,
                                     Describe(seen->content)));
    }
    stage_.scheduler().Note(
        fmt::format("{} {} {}", name_, what, is_after ? "happened" : "did not"));
    if (is_after) tree_ = after;
    return;
  }
}

bool FileUser::IsAs(const TreeModel& tree, const std::string& path, const Seen& seen) {
  if (!seen.status.has_value()) return !tree.Contains(path);
  if (!tree.Contains(path) || !IsAsSet(tree.FindAttributes(path), *seen.status)) return false;
  const Content content = tree.Find(path);
  if (content == nullptr || seen.content == nullptr) return content == seen.content;
  return *content == *seen.content;
}

std::optional<FileUser::Seen> FileUser::Look(const std::string& path) {
  for (int i = 0; i < kLooksMax && !stage_.scheduler().is_stopped(); ++i) {
    auto status = client_->Stat(path);
    if (status.status().code() == Code::kNotFound) return Seen();
    if (status.ok() && status->kind == dfs::FileKind::kDirectory) {
      return Seen{.status = std::move(*status)};
    }
    if (status.ok()) {
      auto reader = client_->OpenFile(path);
      Result<std::string> content = reader.ok() ? ReadAll(**reader) : reader.status();
      if (content.ok()) {
        return Seen{.status = std::move(*status),
                    .content = std::make_shared<const std::string>(std::move(*content))};
      }
    }
    (void)stage_.scheduler().Sleep(kLookPause);
  }
  if (stage_.violation().empty()) stage_.Fail(name_ + " cannot look at " + path);
  return std::nullopt;
}

// ---- What he reads ----

Result<std::string> FileUser::ReadAll(dfs::FileReader& reader) {
  std::string content;
  while (true) {
    ASSIGN_OR_RETURN(std::string chunk, reader.Next());
    if (chunk.empty()) return content;
    content += chunk;
  }
}

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

void FileUser::List() {
  auto entries = client_->ListAll(root_);
  if (!entries.ok()) {
    if (!IsUncertain(entries.status().code())) {
      stage_.Fail(fmt::format("{} cannot list: {}", name_, entries.status().ToString()));
    }
    return;
  }
  std::set<std::string> seen;
  for (const dfs::FileStatus& entry : *entries)
    seen.insert(root_ + "/" + entry.name);
  std::set<std::string> expected;
  for (const auto& [path, content] : tree_.entries()) {
    if (path != root_ && path.find('/', root_.size() + 1) == std::string::npos) {
      expected.insert(path);
    }
  }
  if (seen != expected) {
    return stage_.Fail(
        fmt::format("{} lists {} names, and {} are there", name_, seen.size(), expected.size()));
  }
  for (const dfs::FileStatus& entry : *entries) {
    const std::string path = root_ + "/" + entry.name;
    const Content content = tree_.Find(path);
    const bool is_right = IsAsSet(tree_.FindAttributes(path), entry) &&
                          entry.length_bytes == (content == nullptr ? 0 : content->size());
    if (!is_right) return stage_.Fail(fmt::format("{} lists {} as it is not", name_, path));
  }
  stage_.Count();
}

void FileUser::CheckAll() {
  List();
  for (const auto& [path, content] : tree_.entries()) {
    if (stage_.scheduler().is_stopped()) return;
    if (content == nullptr) continue;
    auto reader = client_->OpenFile(path);
    Result<std::string> read = reader.ok() ? ReadAll(**reader) : reader.status();
    if (!read.ok()) {
      return stage_.Fail(fmt::format("{} is lost: {}", path, read.status().ToString()));
    }
    if (*read != *content) {
      return stage_.Fail(fmt::format("{} holds {} bytes \"{}\" and must hold {}",
                                     path,
                                     read->size(),
                                     read->substr(0, 20),
                                     Describe(content)));
    }
  }
}

}  // namespace slipstream::simulation
