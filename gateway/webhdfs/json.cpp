#include "gateway/webhdfs/json.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace slipstream::gateway::webhdfs {
namespace {

using Json = nlohmann::ordered_json;

std::string ToText(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

http::Response Document(const Json& json) {
  return {.content_type = "application/json", .body = ToText(json)};
}

Json ToJson(const dfs::FileStatus& status, std::string_view suffix) {
  const bool is_file = status.kind == dfs::FileKind::kFile;
  return {{"pathSuffix", suffix},
          {"type", is_file ? "FILE" : "DIRECTORY"},
          {"length", status.length_bytes},
          {"owner", status.owner},
          {"group", status.group},
          {"permission", fmt::format("{:o}", status.mode)},
          {"accessTime", status.accessed_at_ms},
          {"modificationTime", status.modified_at_ms},
          {"blockSize", is_file ? kBlockBytes : 0},
          {"replication", is_file ? status.replication : 0},
          {"fileId", status.inode_id},
          {"childrenNum", status.child_count},
          {"storagePolicy", 0}};
}

Json LimitOr(uint64_t limit) {
  return limit == 0 ? Json(-1) : Json(limit);
}

// Without its port: "[::1]:7410" is "::1".
std::string HostOf(std::string_view address) {
  std::string_view host = address.substr(0, address.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return std::string(host);
}

Json ToJson(const BlockRange& range) {
  Json hosts = Json::array();
  Json names = Json::array();
  Json types = Json::array();
  Json paths = Json::array();
  for (const dfs::NodeAddress& node : range.block->nodes) {
    hosts.push_back(HostOf(node.address));
    names.push_back(node.address);
    types.push_back("DISK");
    paths.push_back("/default-rack/" + node.address);
  }
  return {{"cachedHosts", Json::array()},
          {"corrupt", range.block->nodes.empty()},
          {"hosts", std::move(hosts)},
          {"length", range.block->length_bytes},
          {"names", std::move(names)},
          {"offset", range.offset_bytes},
          {"storageTypes", std::move(types)},
          {"topologyPaths", std::move(paths)}};
}

}  // namespace

std::string FileStatusText(const dfs::FileStatus& status, std::string_view suffix) {
  return ToText(ToJson(status, suffix));
}

http::Response FileStatusDocument(const dfs::FileStatus& status) {
  return Document({{"FileStatus", ToJson(status, "")}});
}

http::Response DirectoryListingDocument(std::span<const dfs::FileStatus> entries,
                                        bool is_file,
                                        bool has_more) {
  Json list = Json::array();
  for (const dfs::FileStatus& entry : entries)
    list.push_back(ToJson(entry, is_file ? "" : entry.name));
  return Document({{"DirectoryListing",
                    {{"partialListing", {{"FileStatuses", {{"FileStatus", std::move(list)}}}}},
                     // How many is not known, and clients only ask whether there are any.
                     {"remainingEntries", has_more ? 1 : 0}}}});
}

http::Response ContentSummaryDocument(const ContentTotals& totals, const dfs::FileStatus& root) {
  const dfs::Quota quota = root.quota.value_or(dfs::Quota());
  return Document({{"ContentSummary",
                    {{"directoryCount", totals.directories},
                     {"ecPolicy", ""},
                     {"fileCount", totals.files},
                     {"length", totals.length_bytes},
                     {"quota", LimitOr(quota.names_max)},
                     {"spaceConsumed", totals.stored_bytes},
                     {"spaceQuota", LimitOr(quota.space_max_bytes)},
                     {"typeQuota", Json::object()},
                     {"snapshotLength", 0},
                     {"snapshotFileCount", 0},
                     {"snapshotDirectoryCount", 0},
                     {"snapshotSpaceConsumed", 0}}}});
}

http::Response QuotaUsageDocument(const ContentTotals& totals, const dfs::FileStatus& root) {
  const dfs::Quota quota = root.quota.value_or(dfs::Quota());
  return Document({{"QuotaUsage",
                    {{"fileAndDirectoryCount", totals.files + totals.directories},
                     {"quota", LimitOr(quota.names_max)},
                     {"spaceConsumed", totals.stored_bytes},
                     {"spaceQuota", LimitOr(quota.space_max_bytes)},
                     {"typeQuota", Json::object()}}}});
}

http::Response FileChecksumDocument(const dfs::FileChecksum& checksum) {
  std::string digits;
  for (const char byte : checksum.bytes)
    digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return Document({{"FileChecksum",
                    {{"algorithm", checksum.algorithm},
                     {"bytes", digits},
                     {"length", checksum.bytes.size()}}}});
}

http::Response BlockLocationsDocument(std::span<const BlockRange> blocks) {
  Json list = Json::array();
  for (const BlockRange& block : blocks)
    list.push_back(ToJson(block));
  return Document({{"BlockLocations", {{"BlockLocation", std::move(list)}}}});
}

http::Response LocatedBlocksDocument(std::span<const BlockRange> blocks, uint64_t file_bytes) {
  Json list = Json::array();
  for (const BlockRange& range : blocks) {
    Json locations = Json::array();
    for (const dfs::NodeAddress& node : range.block->nodes) {
      locations.push_back({{"name", node.address}, {"hostName", HostOf(node.address)}});
    }
    list.push_back({{"block",
                     {{"blockId", range.block->block.block_id},
                      {"numBytes", range.block->length_bytes},
                      {"generationStamp", 0},
                      {"blockPoolId", ""}}},
                    {"isCorrupt", range.block->nodes.empty()},
                    {"locations", std::move(locations)},
                    {"startOffset", range.offset_bytes}});
  }
  return Document({{"LocatedBlocks",
                    {{"fileLength", file_bytes},
                     {"isLastBlockComplete", true},
                     {"isUnderConstruction", false},
                     {"locatedBlocks", std::move(list)}}}});
}

http::Response ServerDefaultsDocument(const dfs::Defaults& defaults) {
  constexpr int kCrc32c = 2;
  return Document(
      {{"FsServerDefaults",
        {{"blockSize", kBlockBytes},
         {"bytesPerChecksum", 512},
         {"writePacketSize", 65'536},
         {"replication", defaults.replication},
         {"fileBufferSize", 4'096},
         {"encryptDataTransfer", false},
         {"trashInterval",
          std::chrono::duration_cast<std::chrono::minutes>(defaults.trash_interval).count()},
         {"checksumType", kCrc32c},
         {"keyProviderUri", ""},
         {"defaultStoragePolicyId", 0}}}});
}

http::Response FsStatusDocument(const dfs::ClusterState& state) {
  uint64_t capacity = 0;
  uint64_t used = 0;
  uint64_t remaining = 0;
  for (const dfs::NodeReport& node : state.nodes) {
    if (node.state == dfs::NodeState::kDead) continue;
    capacity += node.capacity_bytes;
    used += node.used_bytes;
    remaining += node.free_bytes;
  }
  return Document(
      {{"FsStatus", {{"capacity", capacity}, {"used", used}, {"remaining", remaining}}}});
}

http::Response BooleanDocument(bool value) {
  return Document({{"boolean", value}});
}

http::Response TextDocument(std::string_view name, std::string_view value) {
  return Document({{std::string(name), value}});
}

http::Response NoTokenDocument() {
  return Document({{"Token", nullptr}});
}

http::Response EmptyDocument() {
  return {};
}

}  // namespace slipstream::gateway::webhdfs
