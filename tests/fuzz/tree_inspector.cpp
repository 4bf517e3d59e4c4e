#include "tests/fuzz/tree_inspector.h"

#include <cstdint>
#include <string>

#include "proto/dfs_master.pb.h"

#include "common/check/check.h"
#include "dfs-master/master_handlers.h"

namespace slipstream::fuzz {
namespace {

namespace v1 = dfs::v1;

class TreeInspector final {
 public:
  explicit TreeInspector(dfs::master::MasterHandlers& handlers) : handlers_(handlers) {}

  std::string Inspect() {
    v1::ListAppendersRequest all;
    const auto appenders = Answer<v1::ListAppendersResponse>(all);
    for (const auto& appender : appenders.appenders())
      has_candidates_ |= appender.prepared_size() > 0;
    text_ = appenders.DebugString();
    v1::StatRequest request;
    request.set_path("/");
    CheckTotals(Visit("/", Answer<v1::StatResponse>(request).status()));
    return std::move(text_);
  }

 private:
  // Of a directory and all below it.
  struct Sums {
    uint64_t files = 0;
    uint64_t directories = 0;
    uint64_t blocks = 0;
    uint64_t space_bytes = 0;

    void Add(const Sums& other) {
      files += other.files;
      directories += other.directories;
      blocks += other.blocks;
      space_bytes += other.space_bytes;
    }
  };

  template <class Response, class Request>
  Response Answer(const Request& request) {
    Response response;
    const Status status = handlers_.Answer(request, response);
    SLIPSTREAM_CHECK(status.ok(), "{}: {}", request.ShortDebugString(), status.ToString());
    return response;
  }

  Sums Visit(const std::string& path, const v1::FileStatus& status) {
    v1::FileStatus durable = status;
    if (durable.has_quota() && durable.quota().is_counting()) {
      durable.mutable_quota()->clear_names();  // a restart counts from the beginning
      durable.mutable_quota()->clear_space_bytes();
    }
    text_ += path + " " + durable.ShortDebugString() + "\n";
    Sums sums;
    if (status.kind() == v1::FILE_KIND_DIRECTORY) {
      sums.directories = 1;
      VisitChildren(path, status, sums);
    } else {
      sums.files = 1;
      VisitBlocks(path, status, sums);
    }
    if (status.has_quota() && !status.quota().is_counting()) CheckQuota(path, status.quota(), sums);
    return sums;
  }

  // A quota is charged for what is prepared, too.
  void CheckQuota(const std::string& path, const v1::Quota& quota, const Sums& sums) const {
    const uint64_t names = sums.files + sums.directories;
    SLIPSTREAM_CHECK(quota.names() == names || (has_candidates_ && quota.names() > names),
                     "{} has {} names: {}",
                     path,
                     names,
                     quota.ShortDebugString());
    SLIPSTREAM_CHECK(quota.space_bytes() == sums.space_bytes ||
                         (has_candidates_ && quota.space_bytes() > sums.space_bytes),
                     "{} has {} bytes: {}",
                     path,
                     sums.space_bytes,
                     quota.ShortDebugString());
  }

  // In pages of two.
  void VisitChildren(const std::string& path, const v1::FileStatus& status, Sums& sums) {
    v1::ListRequest request;
    request.set_path(path);
    request.set_limit(2);
    uint64_t count = 0;
    for (bool has_more = true; has_more;) {
      const auto page = Answer<v1::ListResponse>(request);
      for (const v1::FileStatus& child : page.entries()) {
        SLIPSTREAM_CHECK(count == 0 || child.name() > request.start_after(), "out of order");
        request.set_start_after(child.name());
        ++count;
        sums.Add(Visit((path == "/" ? path : path + "/") + child.name(), child));
      }
      has_more = page.has_more();
    }
    SLIPSTREAM_CHECK(count == status.child_count(), "{} has {} children", path, count);
  }

  void VisitBlocks(const std::string& path, const v1::FileStatus& status, Sums& sums) {
    v1::LocateBlocksRequest request;
    request.set_path(path);
    const auto located = Answer<v1::LocateBlocksResponse>(request);
    uint64_t length = 0;
    uint64_t stored = 0;
    for (const v1::LocatedBlock& block : located.blocks()) {
      SLIPSTREAM_CHECK(
          block.length_bytes() > 0 && block.length_bytes() <= block.block().raw_bytes(),
          "{}: {}",
          path,
          block.ShortDebugString());
      length += block.length_bytes();
      stored += block.block().stored_bytes();
      // Where it lies is not durable.
      text_ += " " + block.block().ShortDebugString() + "\n";
    }
    SLIPSTREAM_CHECK(length == status.length_bytes(), "{} has {} bytes", path, length);
    SLIPSTREAM_CHECK(stored == status.stored_bytes(), "{} has {} stored bytes", path, stored);
    sums.blocks = static_cast<uint64_t>(located.blocks_size());
    SLIPSTREAM_CHECK(sums.blocks == status.block_count(), "{} has {} blocks", path, sums.blocks);
    sums.space_bytes = stored * status.replication();
  }

  void CheckTotals(const Sums& sums) {
    const auto state = Answer<v1::GetClusterStateResponse>(v1::GetClusterStateRequest());
    // What was deleted with the directory above it counts until it is reaped.
    SLIPSTREAM_CHECK(
        state.file_count() >= sums.files, "{} files, not {}", sums.files, state.file_count());
    SLIPSTREAM_CHECK(state.directory_count() >= sums.directories,
                     "{} directories, not {}",
                     sums.directories,
                     state.directory_count());
    SLIPSTREAM_CHECK(
        state.block_count() >= sums.blocks, "{} blocks, not {}", sums.blocks, state.block_count());
    text_ += std::to_string(state.raw_bytes()) + " raw, " + std::to_string(state.stored_bytes()) +
             " stored\n";
  }

  dfs::master::MasterHandlers& handlers_;
  bool has_candidates_ = false;
  std::string text_;
};

}  // namespace

std::string InspectTree(dfs::master::MasterHandlers& handlers) {
  return TreeInspector(handlers).Inspect();
}

}  // namespace slipstream::fuzz
