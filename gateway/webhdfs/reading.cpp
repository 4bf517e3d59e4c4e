#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "dfs-client/path.h"
#include "gateway/webhdfs/file_source.h"
#include "gateway/webhdfs/json.h"
#include "gateway/webhdfs/listing_source.h"
#include "gateway/webhdfs/operations.h"
#include "gateway/webhdfs/redirect.h"

namespace slipstream::gateway::webhdfs {
namespace {

constexpr int64_t kNumberMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kNumberMin = std::numeric_limits<int64_t>::min();

// Runs `work` where it holds up nobody.
template <class Work>
Outcome Later(const Call& call, Work work) {
  return http::Answer(http::Deferred{[call, work] {
    http::Answer answer = ToAnswer(work(call), call.path);
    return std::move(std::get<http::Response>(answer));
  }});
}

// What is wrong with reading a path: Hadoop says so of directories in these words.
Outcome NotReadable(const Call& call, const Status& status) {
  if (status.code() != Code::kFailedPrecondition) return status;
  const Result<dfs::FileStatus> found = call.client->Stat(call.path);
  if (found.ok() && found->kind == dfs::FileKind::kDirectory) {
    return FileNotFound("Path is not a file: " + call.path);
  }
  return status;
}

// Of everything below `root`, itself included.
Result<ContentTotals> CountBelow(dfs::DfsClient& client,
                                 const std::string& path,
                                 const dfs::FileStatus& root) {
  ContentTotals totals;
  std::vector<std::string> directories;
  const auto count = [&](const dfs::FileStatus& status, std::string own_path) {
    if (status.kind == dfs::FileKind::kDirectory) {
      ++totals.directories;
      if (status.child_count > 0) directories.push_back(std::move(own_path));
      return;
    }
    ++totals.files;
    totals.length_bytes += status.length_bytes;
    totals.stored_bytes += status.stored_bytes * status.replication;
  };
  count(root, path);
  while (!directories.empty()) {
    const std::string directory = std::move(directories.back());
    directories.pop_back();
    dfs::DirectoryIterator entries(client, directory);
    for (;;) {
      Result<std::optional<dfs::FileStatus>> entry = entries.Next();
      // Deleted meanwhile: it counts no more.
      if (entry.status().code() == Code::kNotFound) break;
      RETURN_IF_ERROR(entry.status());
      if (!entry->has_value()) break;
      count(**entry, dfs::JoinPath(directory, (*entry)->name));
    }
  }
  return totals;
}

struct LocatedRanges {
  std::vector<dfs::FileBlocks> pages;  // which own what the ranges point to
  std::vector<BlockRange> ranges;
  uint64_t file_bytes = 0;
};

// The blocks that overlap a range of the file, half-open.
Result<LocatedRanges> LocateRange(const Call& call, uint64_t begin, uint64_t length) {
  LocatedRanges located;
  uint64_t at = begin;
  for (;;) {
    ASSIGN_OR_RETURN(dfs::FileBlocks page, call.client->LocateBlocks(call.path, at));
    located.file_bytes = page.status.length_bytes;
    const uint64_t end = length > located.file_bytes - std::min(begin, located.file_bytes)
                             ? located.file_bytes
                             : begin + length;
    uint64_t offset = page.first_block_offset_bytes;
    const bool is_last = page.blocks.empty();
    located.pages.push_back(std::move(page));
    for (const dfs::LocatedBlock& block : located.pages.back().blocks) {
      if (offset < end) located.ranges.push_back({.offset_bytes = offset, .block = &block});
      offset += block.length_bytes;
    }
    if (is_last || offset >= end) return located;
    at = offset;
  }
}

Result<LocatedRanges> LocateAskedFor(const Call& call) {
  ASSIGN_OR_RETURN(const auto offset, call.parameters.Number("offset", 0, kNumberMax));
  ASSIGN_OR_RETURN(const auto length, call.parameters.Number("length", 0, kNumberMax));
  return LocateRange(call,
                     static_cast<uint64_t>(offset.value_or(0)),
                     static_cast<uint64_t>(length.value_or(kNumberMax)));
}

Outcome Checksum(const Call& call) {
  const Result<dfs::FileChecksum> checksum = call.client->Checksum(call.path);
  if (!checksum.ok()) return NotReadable(call, checksum.status());
  return FileChecksumDocument(*checksum);
}

Outcome Summary(const Call& call) {
  ASSIGN_OR_RETURN(const dfs::FileStatus root, call.client->Stat(call.path));
  ASSIGN_OR_RETURN(const ContentTotals totals, CountBelow(*call.client, call.path, root));
  return ContentSummaryDocument(totals, root);
}

Outcome Usage(const Call& call) {
  ASSIGN_OR_RETURN(const dfs::FileStatus root, call.client->Stat(call.path));
  ASSIGN_OR_RETURN(const ContentTotals totals, CountBelow(*call.client, call.path, root));
  return QuotaUsageDocument(totals, root);
}

}  // namespace

Outcome Open(const Call& call) {
  ASSIGN_OR_RETURN(const auto offset, call.parameters.Number("offset", kNumberMin, kNumberMax));
  ASSIGN_OR_RETURN(const auto length, call.parameters.Number("length", 0, kNumberMax));
  ASSIGN_OR_RETURN(const bool wants_location, WantsLocation(call));
  Result<std::unique_ptr<dfs::FileReader>> reader = call.client->OpenFile(call.path);
  if (!reader.ok()) return NotReadable(call, reader.status());
  if ((*reader)->status().kind == dfs::FileKind::kDirectory) {
    return FileNotFound("Path is not a file: " + call.path);
  }
  const uint64_t file_bytes = (*reader)->status().length_bytes;
  const int64_t begin = offset.value_or(0);
  if (begin < 0 || (begin > 0 && static_cast<uint64_t>(begin) >= file_bytes)) {
    return Io(fmt::format(
        "Offset={} out of the range [0, {}); OPEN, path={}", begin, file_bytes, call.path));
  }
  if (wants_location) return http::Answer(LocationDocument(call));
  const uint64_t bytes = std::min(file_bytes - static_cast<uint64_t>(begin),
                                  static_cast<uint64_t>(length.value_or(kNumberMax)));
  http::Response response{.content_type = "application/octet-stream"};
  response.source = std::make_unique<FileSource>(
      call.client, std::move(*reader), static_cast<uint64_t>(begin), bytes);
  response.source_bytes = bytes;
  response.memory_bytes = FileSource::MemoryFor(bytes);
  return http::Answer(std::move(response));
}

Outcome GetFileStatus(const Call& call) {
  ASSIGN_OR_RETURN(const dfs::FileStatus status, call.client->Stat(call.path));
  return FileStatusDocument(status);
}

Outcome ListStatus(const Call& call) {
  Result<std::unique_ptr<ListingSource>> source = ListingSource::Open(call.client, call.path);
  if (source.status().code() == Code::kNotFound) {
    return FileNotFound("File " + call.path + " does not exist.");
  }
  RETURN_IF_ERROR(source.status());
  http::Response response{.content_type = "application/json"};
  response.source = std::move(*source);
  response.memory_bytes = ListingSource::kMemoryBytes;
  return http::Answer(std::move(response));
}

Outcome ListStatusBatch(const Call& call) {
  ASSIGN_OR_RETURN(const dfs::FileStatus status, call.client->Stat(call.path));
  ASSIGN_OR_RETURN(
      const dfs::DirectoryPage page,
      call.client->List(call.path, call.parameters.Text("startafter").value_or(""), 0));
  return DirectoryListingDocument(page.entries, status.kind == dfs::FileKind::kFile, page.has_more);
}

Outcome GetContentSummary(const Call& call) {
  return Later(call, Summary);
}

Outcome GetQuotaUsage(const Call& call) {
  return Later(call, Usage);
}

Outcome GetFileChecksum(const Call& call) {
  ASSIGN_OR_RETURN(const bool wants_location, WantsLocation(call));
  if (wants_location) return http::Answer(LocationDocument(call));
  return Later(call, Checksum);
}

Outcome GetFileBlockLocations(const Call& call) {
  const Result<LocatedRanges> located = LocateAskedFor(call);
  if (!located.ok()) return NotReadable(call, located.status());
  return BlockLocationsDocument(located->ranges);
}

Outcome GetBlockLocations(const Call& call) {
  const Result<LocatedRanges> located = LocateAskedFor(call);
  if (!located.ok()) return NotReadable(call, located.status());
  return LocatedBlocksDocument(located->ranges, located->file_bytes);
}

}  // namespace slipstream::gateway::webhdfs
