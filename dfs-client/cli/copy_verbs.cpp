#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dfs-client/cli/copy_pool.h"
#include "dfs-client/cli/destination.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

// What `-p[topax]` keeps. ACLs and extended attributes are accepted: nothing has any.
struct Preserved {
  bool times = false;
  bool ownership = false;
  bool permission = false;

  bool any() const { return times || ownership || permission; }
};

// Nothing for a letter that stands for nothing.
std::optional<Preserved> PreservedBy(const Arguments& arguments) {
  if (!arguments.Has("p")) return Preserved{};
  const std::string letters = *arguments.Value("p");
  if (letters.empty()) return Preserved{.times = true, .ownership = true, .permission = true};
  if (letters.find_first_not_of("topaxTOPAX") != std::string::npos) return std::nullopt;
  const auto has = [&](const char* either) {
    return letters.find_first_of(either) != std::string::npos;
  };
  return Preserved{.times = has("tT"), .ownership = has("oO"), .permission = has("paPA")};
}

AttributeChange ChangeFor(const FileStatus& source, const Preserved& preserved) {
  AttributeChange change;
  if (preserved.times) {
    change.modified_at_ms = source.modified_at_ms;
    change.accessed_at_ms = source.accessed_at_ms;
  }
  if (preserved.ownership) {
    change.owner = source.owner;
    change.group = source.group;
  }
  if (preserved.permission) change.mode = source.mode;
  return change;
}

CopyFailure IsNoDirectory(const std::string& shown) {
  return {.shown = "",
          .status = FailedPrecondition(fmt::format("`{}': Is not a directory", shown))};
}

struct CopyOptions {
  bool replaces = false;
  Preserved preserved;
  size_t threads = CopyPool::kThreadsDefault;
};

// RemoteCopier: copies files and trees inside the file system; the bytes go through this process.
class RemoteCopier final {
 public:
  RemoteCopier(Session& session, const CopyOptions& options)
      : session_(session), options_(options), pool_(session, options.threads) {}

  void Copy(const Item& item, const std::string& path, const std::string& shown) {
    if (IsDirectory(item)) {
      CopyDirectory(item, path, shown);
      return;
    }
    pool_.progress().Expect(item.shown, item.status.length_bytes);
    pool_.Add([this, item, path, shown] { return CopyNow(item, path, shown); });
  }

  void Fail(const CopyFailure& failure) { pool_.AddFailure(failure.shown, failure.status); }

  void Finish() {
    pool_.Finish();
    // Those below first: giving a directory its times must come after all that changes it.
    for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
      const Status status = Preserve(directory->first, directory->second);
      if (!status.ok()) session_.Fail(directory->second, status);
    }
  }

 private:
  void CopyDirectory(const Item& directory, const std::string& path, const std::string& shown) {
    auto existing = session_.client().Stat(path);
    if (existing.ok() && existing->kind == FileKind::kFile) {
      Fail(IsNoDirectory(shown));
      return;
    }
    // Before the target is made, which may be in the same directory.
    auto children = session_.Children(directory);
    if (!children.ok()) {
      Fail({.shown = directory.shown, .status = children.status()});
      return;
    }
    const Status made = session_.client().MakeDirectory(path, true).status();
    if (!made.ok()) {
      Fail({.shown = shown, .status = made});
      return;
    }
    directories_.emplace_back(directory.status, path);
    for (const Item& child : *children) {
      const std::string& name = child.status.name;
      Copy(child, JoinPath(path, name), ChildShown(shown, name));
    }
  }

  CopyFailures CopyNow(const Item& item, const std::string& path, const std::string& shown) {
    auto existing = session_.client().Stat(path);
    if (existing.ok() && (existing->kind == FileKind::kDirectory || !options_.replaces)) {
      return FailureOf(shown, AlreadyExists(""));
    }
    if (!existing.ok() && existing.status().code() != Code::kNotFound) {
      return FailureOf(shown, existing.status());
    }
    if (existing.ok() && existing->inode_id == item.status.inode_id) {
      return FailureOf("",
                       FailedPrecondition(fmt::format(
                           "`{}' to `{}': are identical", item.shown, session_.Uri(path))));
    }
    auto reader = session_.client().OpenFile(item.path);
    if (!reader.ok()) return FailureOf(item.shown, reader.status());
    const Status status = Send(**reader, path);
    if (!status.ok()) return FailureOf(shown, status);
    return {};
  }

  Status Send(FileReader& reader, const std::string& path) {
    auto writer = session_.client().CreateFile(path, {.replace = options_.replaces});
    while (true) {
      ASSIGN_OR_RETURN(std::string chunk, reader.Next());
      if (chunk.empty()) break;
      RETURN_IF_ERROR(writer->Write(chunk));
      pool_.progress().Add(chunk.size());
    }
    RETURN_IF_ERROR(writer->Close());
    return Preserve(reader.status(), path);
  }

  Status Preserve(const FileStatus& source, const std::string& path) {
    if (!options_.preserved.any()) return {};
    return session_.client().SetAttributes(path, ChangeFor(source, options_.preserved)).status();
  }

  Session& session_;
  const CopyOptions options_;
  std::vector<std::pair<FileStatus, std::string>> directories_;
  CopyPool pool_;  // last: its copies use the above
};

// A directory goes neither onto nor into itself: what is to be said then.
std::optional<CopyFailure> FailureIntoItself(const Session& session,
                                             const Item& item,
                                             const std::string& path,
                                             const std::string& shown) {
  if (!IsDirectory(item)) return std::nullopt;
  std::string text;
  if (path == item.path) {
    text = fmt::format("`{}' to `{}': are identical", item.shown, session.Uri(path));
  } else if (path.starts_with(item.path == "/" ? "/" : item.path + "/")) {
    text = fmt::format("`{}' to `{}': is a subdirectory of itself", item.shown, shown);
  } else {
    return std::nullopt;
  }
  return CopyFailure{.shown = "", .status = FailedPrecondition(std::move(text))};
}

// What cp and mv have in common: all sources, each with its place.
using PlaceSource = std::function<void(const Item&, const std::string&, const std::string&)>;
using FailSource = std::function<void(const CopyFailure&)>;
void ForEachSource(Session& session,
                   const std::vector<std::string>& words,
                   Existing existing,
                   const PlaceSource& place,
                   const FailSource& fail) {
  const CopyOperands operands = SplitOperands(words);
  const auto target = RemoteDestination(session, operands.destination);
  if (!target.has_value()) return;
  const std::vector<Source> sources = ExpandSources(session, operands.sources);
  if (!CheckDestination(session, *target, sources.size(), existing)) return;
  for (const Source& source : sources) {
    if (session.is_master_gone()) return;
    if (!source.item.has_value()) {
      fail({.shown = source.shown, .status = NotFound(source.shown)});
      continue;
    }
    const std::string name(BaseName(source.item->path));
    const std::string path = target->PathFor(name);
    const std::string shown = target->ShownFor(name);
    const auto failure = FailureIntoItself(session, *source.item, path, shown);
    if (failure.has_value()) {
      fail(*failure);
    } else {
      place(*source.item, path, shown);
    }
  }
}

void RunCp(Session& session, const Arguments& arguments) {
  const auto preserved = PreservedBy(arguments);
  auto threads = ThreadsAskedFor(arguments);
  if (!preserved.has_value() || !threads.ok()) {
    session.FailUsage(preserved.has_value() ? threads.status().message()
                                            : "No attribute for " + *arguments.Value("p"));
    return;
  }
  // -d has no effect: there is no temporary file to do without.
  const CopyOptions options{
      .replaces = arguments.Has("f"), .preserved = *preserved, .threads = *threads};
  RemoteCopier copier(session, options);
  ForEachSource(
      session,
      arguments.operands(),
      options.replaces ? Existing::kReplace : Existing::kRefuse,
      [&](const Item& item, const std::string& path, const std::string& shown) {
        copier.Copy(item, path, shown);
      },
      [&](const CopyFailure& failure) { copier.Fail(failure); });
  copier.Finish();
}

void RunMv(Session& session, const Arguments& arguments) {
  ForEachSource(
      session,
      arguments.operands(),
      Existing::kRefuse,
      [&](const Item& item, const std::string& path, const std::string& shown) {
        const Status status = session.client().Rename(item.path, path, false);
        if (status.code() == Code::kAlreadyExists) {
          session.Fail(shown, status);
        } else if (!status.ok()) {
          session.Fail(item.shown, status);
        }
      },
      [&](const CopyFailure& failure) { session.Fail(failure.shown, failure.status); });
}

}  // namespace

std::vector<Verb> CopyVerbs() {
  return {
      {.names = {"cp"},
       .usage = "[-f] [-p | -p[topax]] [-d] [-t <thread count>] [-q <thread pool queue size>] "
                "<src> ... <dst>",
       .help = "Copy files and directories inside the file system.\n"
               "Several go into a directory.\n"
               "-f: replace files that are there\n"
               "-p: keep times, ownership and permission, or those of the letters (t, o, p)\n"
               "-t: copies at a time (4)\n"
               "-d, -q: no effect",
       .flags = {"f", "p*", "d", "t?", "q?"},
       .operands = {.operands_min = 2},
       .run = RunCp},
      {.names = {"mv"},
       .usage = "<src> ... <dst>",
       .help = "Rename, or move into a directory.",
       .flags = {},
       .operands = {.operands_min = 2},
       .run = RunMv},
  };
}

}  // namespace slipstream::dfs::cli
