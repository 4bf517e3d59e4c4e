#include <fmt/format.h>

#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

bool IsDirectory(const Item& item) {
  return item.status.kind == FileKind::kDirectory;
}

// Why a new name cannot be made at `path`, in the HDFS shell's words.
void FailToMake(Session& session,
                const std::string& shown,
                const std::string& path,
                const Status& status) {
  if (status.code() == Code::kFailedPrecondition) {
    // A parent is a file.
    session.Fail(fmt::format("`{}': Is not a directory", ParentPath(path)));
  } else if (status.code() == Code::kNotFound) {
    session.Fail(fmt::format("`{}': No such file or directory", ParentPath(path)));
  } else {
    session.Fail(shown, status);
  }
}

}  // namespace

void RunMkdir(Session& session, const Arguments& arguments) {
  for (const std::string& operand : arguments.operands()) {
    auto path = session.Resolve(operand);
    if (!path.ok()) {
      session.Fail(operand, path.status());
      continue;
    }
    Status status = session.client().MakeDirectory(*path, arguments.Has("p")).status();
    if (status.code() == Code::kAlreadyExists) {
      auto existing = session.client().Stat(*path);
      if (existing.ok() && existing->kind == FileKind::kFile) {
        session.Fail(fmt::format("`{}': Is not a directory", operand));
        continue;
      }
    }
    if (!status.ok()) FailToMake(session, operand, *path, status);
  }
}

void RunRm(Session& session, const Arguments& arguments) {
  const bool is_recursive = arguments.Has("r") || arguments.Has("R");
  const auto remove = [&](const Item& item) {
    if (IsDirectory(item) && !is_recursive) {
      session.Fail(fmt::format("`{}': Is a directory", item.shown));
      return;
    }
    const Status status = session.client().Delete(item.path, is_recursive);
    if (status.ok()) {
      session.Print(fmt::format("Deleted {}\n", item.shown));
    } else if (!(arguments.Has("f") && status.code() == Code::kNotFound)) {
      session.Fail(item.shown, status);
    }
  };
  if (!arguments.Has("f")) {
    session.ForEach(arguments.operands(), remove);
    return;
  }
  session.ForEachThatExists(arguments.operands(), remove);
}

void RunMv(Session& session, const Arguments& arguments) {
  const std::vector<std::string>& operands = arguments.operands();
  const std::string& target = operands.back();
  const std::span<const std::string> sources = std::span(operands).first(operands.size() - 1);

  auto target_path = session.Resolve(target);
  if (!target_path.ok()) {
    session.Fail(target, target_path.status());
    return;
  }
  auto existing = session.client().Stat(*target_path);
  if (!existing.ok() && existing.status().code() != Code::kNotFound) {
    session.Fail(target, existing.status());
    return;
  }
  const bool is_into_directory = existing.ok() && existing->kind == FileKind::kDirectory;
  if (existing.ok() && !is_into_directory) {
    session.Fail(
        fmt::format("`{}': {}", target, sources.size() > 1 ? "Is not a directory" : "File exists"));
    return;
  }
  if (!existing.ok() && sources.size() > 1) {
    session.Fail(target, existing.status());
    return;
  }
  session.ForEach(sources, [&](const Item& item) {
    const std::string path =
        is_into_directory ? JoinPath(*target_path, item.status.name) : *target_path;
    const std::string shown = is_into_directory ? JoinPath(target, item.status.name) : target;
    const Status status = session.client().Rename(item.path, path, /*replace=*/false);
    if (status.code() == Code::kAlreadyExists) {
      session.Fail(fmt::format("`{}': File exists", shown));
    } else if (!status.ok()) {
      FailToMake(session, item.shown, path, status);
    }
  });
}

void RunTouchz(Session& session, const Arguments& arguments) {
  for (const std::string& operand : arguments.operands()) {
    auto path = session.Resolve(operand);
    if (!path.ok()) {
      session.Fail(operand, path.status());
      continue;
    }
    auto existing = session.client().Stat(*path);
    if (existing.ok()) {
      if (existing->kind == FileKind::kDirectory) {
        session.Fail(fmt::format("`{}': Is a directory", operand));
      } else if (existing->length_bytes > 0) {
        session.Fail(fmt::format("`{}': Not a zero-length file", operand));
      }
      continue;
    }
    if (existing.status().code() != Code::kNotFound) {
      session.Fail(operand, existing.status());
      continue;
    }
    auto parent = session.client().Stat(std::string(ParentPath(*path)));
    if (parent.status().code() == Code::kNotFound) {
      session.FailForMissingParent(operand, *path);
      continue;
    }
    if (!parent.ok()) {
      session.Fail(operand, parent.status());
      continue;
    }
    const Status status = session.client().CreateFile(*path)->Close();
    if (!status.ok()) FailToMake(session, operand, *path, status);
  }
}

}  // namespace slipstream::dfs::cli
