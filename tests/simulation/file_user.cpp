#include "tests/simulation/file_user.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "dfs-client/dfs_client.h"

namespace slipstream::simulation {
namespace {

constexpr Micros kPauseMax{3'000'000};
constexpr Micros kLookPause{1'000'000};
constexpr int kLooksMax = 200;
// With retries, a message of an operation is not on the way longer than this after it has failed.
constexpr Micros kSettleTime = Network::kMessageLifeMax + Micros(2'000'000);

std::string Describe(const Content& content) {
  if (content == nullptr) return "no file";
  return fmt::format("{} bytes \"{}\"", content->size(), content->substr(0, content->find('>')));
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
  if (choice < 30) {
    const std::string path = SomePath();
    const auto content = std::make_shared<const std::string>(stage_.NewContent());
    const bool replace = random_.PerMille(600);
    Do(
        fmt::format("put {} {} replace={}", path, Describe(content), replace),
        [&](TreeModel& tree) { return tree.Put(path, content, replace); },
        [&] { return Put(path, *content, replace); });
  } else if (choice < 38) {
    const std::string path = random_.PerMille(200) ? root_ + "/d0" : SomeFile();
    const bool recursive = random_.PerMille(500);
    Do(
        fmt::format("delete {} recursive={}", path, recursive),
        [&](TreeModel& tree) { return tree.Delete(path, recursive); },
        [&] { return client_->Delete(path, recursive); });
  } else if (choice < 50) {
    const bool moves_directory = random_.PerMille(150);
    const std::string source = moves_directory ? root_ + "/d0" : SomeFile();
    const std::string target = moves_directory ? root_ + "/d1" : SomePath();
    const bool replace = random_.PerMille(500);
    Do(
        fmt::format("rename {} {} replace={}", source, target, replace),
        [&](TreeModel& tree) { return tree.Rename(source, target, replace); },
        [&] { return client_->Rename(source, target, replace); });
  } else if (choice < 54) {
    const std::string path = fmt::format("{}/d{}", root_, random_.Below(3));
    Do(
        "mkdir " + path,
        [&](TreeModel& tree) { return tree.MakeDirectory(path); },
        [&] { return client_->MakeDirectory(path, false).status(); });
  } else if (choice < 58) {
    List();
  } else {
    Read();
  }
}

Status FileUser::Put(const std::string& path, const std::string& content, bool replace) {
  auto writer = client_->CreateFile(path, {.replace = replace});
  RETURN_IF_ERROR(writer->Write(content));
  return writer->Close();
}

void FileUser::Do(const std::string& what,
                  const Change& change,
                  const std::function<Status()>& operation) {
  TreeModel after = tree_;
  const bool can = change(after);
  if (can) Publish(&after);
  stage_.scheduler().Note(name_ + " " + what);
  const Status status = operation();
  stage_.scheduler().Note(fmt::format("{} {}: {}", name_, what, status.ToString()));
  if (status.ok()) {
    if (!can) return stage_.Fail(fmt::format("{}: {} succeeded and cannot", name_, what));
    tree_ = std::move(after);
    stage_.Count();
  } else if (!IsUncertain(status.code())) {
    if (can) return stage_.Fail(fmt::format("{}: {}: {}", name_, what, status.ToString()));
    stage_.Count();
  } else if (can) {
    Settle(what, after);
  }
  Publish(nullptr);
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
    const Content before_content = tree_.Find(path);
    const Content after_content = after.Find(path);
    const bool is_told = tree_.Contains(path) == after.Contains(path) &&
                         (before_content == after_content ||
                          (before_content != nullptr && after_content != nullptr &&
                           *before_content == *after_content));
    if (is_told) continue;
    std::optional<Content> seen = Look(path);
    if (!seen.has_value()) return;
    auto is_as = [&](const TreeModel& tree, const Content& content) {
      if (*seen == nullptr) return !tree.Contains(path);
      if (content == nullptr) return tree.Contains(path) && (*seen)->empty();
      return *content == **seen;
    };
    const bool is_before = is_as(tree_, before_content);
    const bool is_after = is_as(after, after_content);
    if (!is_before && !is_after) {
      return stage_.Fail(fmt::format(
          "{}: after {} with an unknown outcome, {} has {}", name_, what, path, Describe(*seen)));
    }
    stage_.scheduler().Note(
        fmt::format("{} {} {}", name_, what, is_after ? "happened" : "did not"));
    if (is_after) tree_ = after;
    return;
  }
}

std::optional<Content> FileUser::Look(const std::string& path) {
  for (int i = 0; i < kLooksMax && !stage_.scheduler().is_stopped(); ++i) {
    auto status = client_->Stat(path);
    if (status.status().code() == Code::kNotFound) return Content();
    if (status.ok() && status->kind == dfs::FileKind::kDirectory) {
      return std::make_shared<const std::string>();
    }
    if (status.ok()) {
      auto reader = client_->OpenFile(path);
      Result<std::string> content = reader.ok() ? ReadAll(**reader) : reader.status();
      if (content.ok()) return std::make_shared<const std::string>(std::move(*content));
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
    stage_.Fail(
        fmt::format("{} lists {} names, and {} are there", name_, seen.size(), expected.size()));
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
