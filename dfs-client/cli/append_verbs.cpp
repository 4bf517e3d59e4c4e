#include <filesystem>
#include <memory>

#include <fmt/format.h>

#include "dfs-client/cli/destination.h"
#include "dfs-client/cli/local_file.h"
#include "dfs-client/cli/progress_bar.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

// FileWriter and FileAppender write alike, and share no base: nothing else needs one.
template <class Writer>
Status WriteAll(OutgoingFile& file, Writer& writer, ProgressBar& progress) {
  while (true) {
    ASSIGN_OR_RETURN(std::string_view bytes, file.Read());
    if (bytes.empty()) return {};
    RETURN_IF_ERROR(writer.Write(bytes));
    progress.Add(bytes.size());
  }
}

template <class Writer>
Status WriteFiles(const std::vector<std::string>& locals, Writer& writer) {
  ProgressBar progress("appendToFile");
  for (const std::string& local : locals) {
    ASSIGN_OR_RETURN(auto file, OutgoingFile::Open(local));
    progress.Expect(local, file->size_bytes());
    RETURN_IF_ERROR(WriteAll(*file, writer, progress));
  }
  return writer.Close();
}

// All become visible at once, behind what was there, or as a new file.
Status Append(Session& session, const std::vector<std::string>& locals, const Destination& target) {
  if (target.kind == Destination::Kind::kMissing) {
    auto writer = session.client().CreateFile(target.path);
    return WriteFiles(locals, *writer);
  }
  ASSIGN_OR_RETURN(auto appender, session.client().AppendFile(target.path));
  return WriteFiles(locals, *appender);
}

void RunAppendToFile(Session& session, const Arguments& arguments) {
  if (arguments.operands().size() < 2) {
    session.Fail("missing destination argument");
    return;
  }
  const CopyOperands operands = SplitOperands(arguments.operands());
  const auto target = RemoteDestination(session, operands.destination);
  if (!target.has_value()) return;
  if (target->is_directory()) {
    session.Fail(
        fmt::format("Cannot append to directory {}; already exists as a directory.", target->path));
    return;
  }
  if (!CheckDestination(session, *target, 1, Existing::kReplace)) return;
  // Looked at before anything is written.
  for (const std::string& local : operands.sources) {
    std::error_code error;
    if (local == "-" && operands.sources.size() > 1) {
      session.Fail("stdin (-) must be the sole input argument when present");
    } else if (local != "-" && !std::filesystem::exists(local, error)) {
      session.Fail(fmt::format("{} (No such file or directory)", local));
    } else if (std::filesystem::is_directory(local, error)) {
      session.Fail(fmt::format("{} (Is a directory)", local));
    }
  }
  if (session.has_failed()) return;
  const Status status = Append(session, operands.sources, *target);
  if (!status.ok()) session.Fail(target->shown, status);
}

void RunTruncate(Session& session, const Arguments& arguments) {
  const std::span<const std::string> operands = arguments.operands();
  auto length = ParseNumber(operands.front());
  if (!length.ok()) {
    session.Warn("truncate: Illegal length, a non-negative integer expected");
    session.FailUsage(length.status().message());
    return;
  }
  if (*length < 0) {
    session.FailUsage("length must be >= 0");
    return;
  }
  const auto wanted = static_cast<uint64_t>(*length);
  bool is_over = false;  // HDFS stops at a length that is too large
  // -w has no effect: there is nothing to wait for, the file has its new length at once.
  session.ForEach(operands.subspan(1), [&](const Item& item) {
    if (is_over) return;
    if (IsDirectory(item)) {
      session.Fail(fmt::format("`{}': Is a directory", item.shown));
      return;
    }
    if (wanted > item.status.length_bytes) {
      session.FailUsage(
          fmt::format("Cannot truncate to a larger file size. Current size: {}, truncate size: {}.",
                      item.status.length_bytes,
                      wanted));
      is_over = true;
      return;
    }
    const Status status = session.client().Truncate(item.path, wanted);
    if (status.ok()) {
      session.Print(fmt::format("Truncated {} to length: {}\n", item.shown, wanted));
    } else {
      session.Fail(item.shown, status);
    }
  });
}

void RunConcat(Session& session, const Arguments& arguments) {
  const std::vector<Source> files = ExpandSources(session, arguments.operands());
  if (session.has_failed()) return;
  if (files.size() < 3) {
    session.Fail("The number of source paths is less than 2. " +
                 std::string("<target path> <src path> <src path> ..."));
    return;
  }
  const auto is_file = [](const Source& source) {
    return source.item.has_value() && !IsDirectory(*source.item);
  };
  if (!is_file(files.front())) {
    session.Fail(fmt::format("Target path {} does not exist or is not file.", files.front().shown));
    return;
  }
  std::vector<std::string> sources;
  for (const Source& source : std::span(files).subspan(1)) {
    if (!is_file(source)) {
      session.Fail(fmt::format("{} does not exist or is not file.", source.shown));
      return;
    }
    sources.push_back(source.item->path);
  }
  const Status status = session.client().Concat(files.front().item->path, sources);
  if (!status.ok()) session.Fail(files.front().shown, status);
}

}  // namespace

std::vector<Verb> AppendVerbs() {
  return {
      {.names = {"appendToFile"},
       .usage = "[-n] <localsrc> ... <dst>",
       .help = "Append local files to one that is there, or make it.\n"
               "All of it becomes visible at once. `-' is standard input.\n"
               "-n: no effect: blocks need not be full",
       .flags = {"n"},
       .operands = {},
       .run = RunAppendToFile},
      {.names = {"truncate"},
       .usage = "[-w] <length> <path> ...",
       .help = "Cut files to a length they had before.\n"
               "-w: no effect: there is nothing to wait for",
       .flags = {"w"},
       .operands = {.operands_min = 2},
       .run = RunTruncate},
      {.names = {"concat"},
       .usage = "<target path> <src path> <src path> ...",
       .help = "Move the content of files behind that of the first.\n"
               "Nothing is copied; the others are gone.",
       .flags = {},
       .operands = {},
       .run = RunConcat},
  };
}

}  // namespace slipstream::dfs::cli
