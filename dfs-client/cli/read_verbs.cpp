#include <algorithm>
#include <chrono>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "common/clock/sleep.h"
#include "dfs-client/cli/session.h"
#include "dfs-client/cli/text_decoder.h"
#include "dfs-client/cli/verbs.h"
#include "dfs-client/path.h"

namespace slipstream::dfs::cli {
namespace {

constexpr uint64_t kEndBytes = 1024;  // of head and tail
constexpr std::chrono::milliseconds kFollowDefault{5'000};
// How many bytes a file begins with say what it is.
constexpr uint64_t kMagicBytes = 16;

// Prints the file from `offset_bytes` on; returns where it ends.
Result<uint64_t> PrintFrom(Session& session, const std::string& path, uint64_t offset_bytes) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(path));
  const uint64_t length = reader->status().length_bytes;
  if (offset_bytes >= length) return length;
  RETURN_IF_ERROR(reader->Seek(offset_bytes));
  while (true) {
    ASSIGN_OR_RETURN(std::string chunk, reader->Next());
    if (chunk.empty()) return length;
    session.Print(chunk);
  }
}

Status PrintAsText(Session& session, const Item& item) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(item.path));
  ASSIGN_OR_RETURN(const std::string begin, reader->ReadAt(0, kMagicBytes));
  ASSIGN_OR_RETURN(std::unique_ptr<TextDecoder> decoder,
                   TextDecoder::For(BaseName(item.path), begin));
  const auto print = [&](std::string_view text) { session.Print(text); };
  while (true) {
    ASSIGN_OR_RETURN(const std::string chunk, reader->Next());
    if (chunk.empty()) return decoder != nullptr ? decoder->Finish() : Status();
    if (decoder == nullptr) {
      print(chunk);
    } else {
      RETURN_IF_ERROR(decoder->Decode(chunk, print));
    }
  }
}

Status PrintHead(Session& session, const Item& item) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, session.client().OpenFile(item.path));
  ASSIGN_OR_RETURN(const std::string bytes, reader->ReadAt(0, kEndBytes));
  session.Print(bytes);
  return {};
}

Status PrintChecksum(Session& session, const Item& item, bool shows_block_size) {
  ASSIGN_OR_RETURN(const FileChecksum checksum, session.client().Checksum(item.path));
  std::string hex;
  for (const char byte : checksum.bytes)
    hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  session.Print(fmt::format("{}\t{}\t{}", item.shown, checksum.algorithm, hex));
  if (shows_block_size) session.Print(fmt::format("\tBlockSize={}", kHdfsBlockBytes));
  session.Print("\n");
  return {};
}

using Show = std::function<Status(const Item&)>;

void ShowFile(Session& session, const Item& item, const Show& show) {
  if (IsDirectory(item)) {
    session.Fail(fmt::format("`{}': Is a directory", item.shown));
    return;
  }
  const Status status = show(item);
  if (!status.ok()) session.Fail(item.shown, status);
}

void ShowFiles(Session& session, const Arguments& arguments, const Show& show) {
  session.ForEach(arguments.operands(), [&](const Item& item) { ShowFile(session, item, show); });
}

// The one file of head and tail, for which HDFS resolves no patterns.
void ShowOneFile(Session& session, const Arguments& arguments, const Show& show) {
  const std::string& operand = arguments.operands().front();
  auto item = session.Find(operand);
  if (item.ok()) {
    ShowFile(session, *item, show);
  } else {
    session.Fail(operand, item.status());
  }
}

void RunCat(Session& session, const Arguments& arguments) {
  ShowFiles(session, arguments, [&](const Item& item) {
    return PrintFrom(session, item.path, 0).status();
  });
}

void RunText(Session& session, const Arguments& arguments) {
  ShowFiles(session, arguments, [&](const Item& item) { return PrintAsText(session, item); });
}

void RunHead(Session& session, const Arguments& arguments) {
  ShowOneFile(session, arguments, [&](const Item& item) { return PrintHead(session, item); });
}

void RunTail(Session& session, const Arguments& arguments) {
  auto interval_ms = arguments.Number("s", 0, INT32_MAX);
  if (!interval_ms.ok()) {
    session.FailUsage(interval_ms.status().message());
    return;
  }
  std::chrono::milliseconds interval = kFollowDefault;
  if (interval_ms->value_or(0) > 0) {
    interval = std::chrono::milliseconds(static_cast<int64_t>(**interval_ms));
  }
  ShowOneFile(session, arguments, [&](const Item& item) -> Status {
    const uint64_t length = item.status.length_bytes;
    uint64_t offset = length - std::min(length, kEndBytes);
    while (true) {
      // A file that was cut meanwhile is followed from its new end.
      ASSIGN_OR_RETURN(offset, PrintFrom(session, item.path, offset));
      if (!arguments.Has("f")) return {};
      session.Flush();
      SleepUnlessStopped(interval, {});
    }
  });
}

void RunChecksum(Session& session, const Arguments& arguments) {
  ShowFiles(session, arguments, [&](const Item& item) {
    return PrintChecksum(session, item, arguments.Has("v"));
  });
}

}  // namespace

std::vector<Verb> ReadVerbs() {
  return {
      {.names = {"cat"},
       .usage = "[-ignoreCrc] <src> ...",
       .help = "Write files to standard output.\n"
               "-ignoreCrc: no effect: what is read is always verified",
       .flags = {"ignoreCrc"},
       .operands = {.operands_min = 1},
       .run = RunCat},
      {.names = {"text"},
       .usage = "[-ignoreCrc] <src> ...",
       .help = "Write files as text, decompressing gzip, zstd and bzip2.\n"
               "-ignoreCrc: no effect: what is read is always verified",
       .flags = {"ignoreCrc"},
       .operands = {.operands_min = 1},
       .run = RunText},
      {.names = {"head"},
       .usage = "<file>",
       .help = "Write the first 1 KB of a file.",
       .flags = {},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunHead},
      {.names = {"tail"},
       .usage = "[-f] [-s <sleep interval>] <file>",
       .help = "Write the last 1 KB of a file.\n"
               "-f: and what is appended, until you interrupt it\n"
               "-s: looking every so many milliseconds (5000)",
       .flags = {"f", "s?"},
       .operands = {.operands_min = 1, .operands_max = 1},
       .run = RunTail},
      {.names = {"checksum"},
       .usage = "[-v] <src> ...",
       .help = "Print the checksum that the same file has on HDFS.\n"
               "With HDFS's defaults there: blocks of 128 MiB, CRC32C each 512 bytes.\n"
               "-v: the block size, too",
       .flags = {"v"},
       .operands = {.operands_min = 1},
       .run = RunChecksum},
  };
}

}  // namespace slipstream::dfs::cli
