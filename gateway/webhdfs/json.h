#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dfs-client/cluster_types.h"
#include "dfs-client/file_types.h"
#include "gateway/http/message.h"

// WebHDFS's documents. Pure.

namespace slipstream::gateway::webhdfs {

// What HDFS's tools take for the size of a block, here too: our blocks are of any length. File
// checksums are computed for it.
inline constexpr uint64_t kBlockBytes = 128ULL << 20;

// What lies below a path, itself included.
struct ContentTotals {
  uint64_t files = 0;
  uint64_t directories = 0;
  uint64_t length_bytes = 0;
  uint64_t stored_bytes = 0;  // over all replicas
};

// A range of a file, half-open, and who has it.
struct BlockRange {
  uint64_t offset_bytes = 0;
  const dfs::LocatedBlock* block = nullptr;
};

// One entry, without name around it. `suffix`: its name in a listing, empty where it is asked for
// itself.
std::string FileStatusText(const dfs::FileStatus& status, std::string_view suffix);

http::Response FileStatusDocument(const dfs::FileStatus& status);
http::Response DirectoryListingDocument(std::span<const dfs::FileStatus> entries,
                                        bool is_file,
                                        bool has_more);
http::Response ContentSummaryDocument(const ContentTotals& totals, const dfs::FileStatus& root);
http::Response QuotaUsageDocument(const ContentTotals& totals, const dfs::FileStatus& root);
http::Response FileChecksumDocument(const dfs::FileChecksum& checksum);
http::Response BlockLocationsDocument(std::span<const BlockRange> blocks);
// GET_BLOCK_LOCATIONS, as older clients ask.
http::Response LocatedBlocksDocument(std::span<const BlockRange> blocks, uint64_t file_bytes);
http::Response ServerDefaultsDocument(const dfs::Defaults& defaults);
http::Response FsStatusDocument(const dfs::ClusterState& state);

// {"boolean":true}, {"Path":"/x"}, {"Location":"http://…"}
http::Response BooleanDocument(bool value);
http::Response TextDocument(std::string_view name, std::string_view value);
// {"Token":null}
http::Response NoTokenDocument();
http::Response EmptyDocument();

}  // namespace slipstream::gateway::webhdfs
