#include "dfs-master/file_checker.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "common/log/log.h"
#include "dfs-master/codec.h"
#include "dfs-master/path.h"
#include "dfs-master/permissions.h"

namespace slipstream::dfs::master {
namespace {

constexpr uint32_t kNamesDefault = 5'000;
constexpr uint32_t kNamesMax = 20'000;
constexpr size_t kBlocksMax = 20'000;
constexpr char kOffsetEnd = ':';

// Where to go on: behind `path`, or, where an offset is given, in the middle of that file.
struct Cursor {
  Path path;
  uint64_t offset_bytes = 0;
};

std::string ToText(const Cursor& cursor) {
  return std::to_string(cursor.offset_bytes) + kOffsetEnd + ToString(cursor.path);
}

Result<Cursor> ParseCursor(std::string_view text, const Path& root) {
  Cursor cursor;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, cursor.offset_bytes);
  if (error != std::errc() || rest == end || *rest != kOffsetEnd) {
    return InvalidArgument("not a cursor: " + log::Quoted(text));
  }
  ASSIGN_OR_RETURN(cursor.path,
                   ParsePath(text.substr(static_cast<size_t>(rest + 1 - text.data()))));
  const bool is_below = cursor.path.size() >= root.size() &&
                        std::equal(root.begin(), root.end(), cursor.path.begin());
  if (!is_below) return InvalidArgument("a cursor of another path: " + log::Quoted(text));
  return cursor;
}

}  // namespace

// One page in the making.
class FileChecker::Walk final {
 public:
  Walk(const FileChecker& checker,
       const Transaction& txn,
       const Caller& caller,
       const CheckRequest& request)
      : checker_(checker),
        txn_(txn),
        caller_(caller),
        request_(request),
        names_left_(request.limit == 0 ? kNamesDefault : std::min(request.limit, kNamesMax)) {}

  Result<CheckPage> Run() {
    ASSIGN_OR_RETURN(Path root, ParsePath(request_.path));
    ASSIGN_OR_RETURN(Inode inode, checker_.tree_.Find(txn_, root));
    last_ = root;
    if (request_.cursor.empty()) {
      RETURN_IF_ERROR(Visit(root, inode, 0));
      if (MayEnter(inode)) levels_.push_back({.directory = inode.id, .path = root});
    } else {
      ASSIGN_OR_RETURN(Cursor cursor, ParseCursor(request_.cursor, root));
      RETURN_IF_ERROR(Resume(root, inode, cursor));
    }
    while (!levels_.empty() && HasBudget())
      RETURN_IF_ERROR(Advance());
    if (cut_off_at_.has_value()) {
      page_.next_cursor = ToText({.path = last_, .offset_bytes = *cut_off_at_});
    } else if (!levels_.empty()) {
      page_.next_cursor = ToText({.path = last_});
    }
    return std::move(page_);
  }

 private:
  // A directory whose children behind `after` are still to come.
  struct Level {
    InodeId directory = kNoInode;
    Path path;
    std::string after;
  };

  bool HasBudget() const { return names_left_ > 0 && blocks_left_ > 0 && !cut_off_at_.has_value(); }

  bool MayEnter(const Inode& inode) const {
    return inode.is_directory() && Permissions::CheckListInode(caller_, inode).ok();
  }

  // Goes down to where the last page ended, as far as that is still there.
  Status Resume(const Path& root, Inode inode, const Cursor& cursor) {
    last_ = cursor.path;
    bool is_there = true;
    for (size_t depth = root.size(); depth < cursor.path.size(); ++depth) {
      if (!MayEnter(inode)) return {};
      const auto depth_end = cursor.path.begin() + static_cast<ptrdiff_t>(depth);
      levels_.push_back({.directory = inode.id,
                         .path = Path(cursor.path.begin(), depth_end),
                         .after = cursor.path[depth]});
      ASSIGN_OR_RETURN(std::optional<Inode> child,
                       checker_.tree_.FindChild(txn_, inode.id, cursor.path[depth]));
      is_there = child.has_value();
      if (!is_there) break;
      inode = std::move(*child);
    }
    if (!is_there) return {};
    if (MayEnter(inode)) {
      levels_.push_back({.directory = inode.id, .path = cursor.path});
    } else if (!inode.is_directory() && cursor.offset_bytes > 0) {
      return Visit(cursor.path, inode, cursor.offset_bytes);
    }
    return {};
  }

  // Looks at the children of the innermost directory, up to and into the next directory.
  Status Advance() {
    Level& level = levels_.back();
    std::string begin = ChildKey(level.directory, level.after);
    if (!level.after.empty()) begin.push_back('\0');
    std::vector<Inode> children;
    Status damage;
    RETURN_IF_ERROR(txn_.Scan(Table::kInodes,
                              begin,
                              ChildrenEnd(level.directory),
                              [&](std::string_view key, std::string_view value) {
                                Inode& child = children.emplace_back();
                                damage = Decode(value, child);
                                child.parent = level.directory;
                                child.name = key.substr(sizeof(InodeId));
                                return damage.ok() && !child.is_directory() &&
                                       children.size() < names_left_;
                              }));
    RETURN_IF_ERROR(damage);
    if (children.empty()) {
      levels_.pop_back();
      return {};
    }
    for (const Inode& child : children) {
      if (!HasBudget()) return {};
      Path path = level.path;
      path.push_back(child.name);
      level.after = child.name;
      RETURN_IF_ERROR(Visit(path, child, 0));
      if (!MayEnter(child)) continue;
      levels_.push_back({.directory = child.id, .path = std::move(path)});
      return {};
    }
    return {};
  }

  Status Visit(const Path& path, const Inode& inode, uint64_t offset_bytes) {
    --names_left_;
    last_ = path;
    CheckedFile file{.path = ToString(path)};
    if (inode.is_directory()) {
      ++page_.directory_count;
      if (!MayEnter(inode)) ++page_.closed_directory_count;
    } else {
      if (offset_bytes == 0) {
        ++page_.file_count;
        page_.raw_bytes += inode.length_bytes;
      }
      RETURN_IF_ERROR(CheckBlocks(inode, offset_bytes, file));
    }
    const bool is_wanted =
        request_.block != 0 ? !file.blocks.empty() : request_.wants_all || !file.is_sound();
    if (!is_wanted) return {};
    ASSIGN_OR_RETURN(file.status, checker_.tree_.StatusOf(txn_, inode));
    page_.files.push_back(std::move(file));
    return {};
  }

  Status CheckBlocks(const Inode& inode, uint64_t offset_bytes, CheckedFile& file) {
    Status damage;
    RETURN_IF_ERROR(txn_.Scan(Table::kFileBlocks,
                              FileBlockKey(inode.id, offset_bytes),
                              FileBlockKey(inode.id + 1, 0),
                              [&](std::string_view key, std::string_view value) {
                                if (blocks_left_ == 0) {
                                  cut_off_at_ = ReadBigEndian(key, sizeof(InodeId));
                                  return false;
                                }
                                --blocks_left_;
                                FileBlock block;
                                damage = Decode(value, block);
                                if (damage.ok()) CheckBlock(block, file);
                                return damage.ok();
                              }));
    return damage;
  }

  void CheckBlock(const FileBlock& block, CheckedFile& file) {
    if (request_.block != 0 && request_.block != block.block.id) return;
    const std::optional<BlockMap::Entry> known = checker_.blocks_.Find(block.block.id);
    const BlockMap::Tally tally =
        known.has_value() ? checker_.blocks_.Count(*known) : BlockMap::Tally{};
    const bool is_missing = tally.good == 0;
    const bool is_under = !is_missing && tally.counted() < block.replication;
    ++page_.block_count;
    page_.good_replicas += tally.in_service;
    page_.wanted_replicas += block.replication;
    if (tally.in_service > block.replication) ++page_.over_replicated_blocks;
    if (is_missing) {
      ++page_.missing_blocks;
      ++file.missing_blocks;
      file.missing_bytes += block.length_bytes();
    }
    if (is_under) {
      ++page_.under_replicated_blocks;
      ++file.under_replicated_blocks;
    }
    if (tally.bad > 0) {
      ++page_.corrupt_blocks;
      ++file.corrupt_blocks;
    }
    const bool is_wanted = request_.wants_blocks || request_.block != 0;
    if (!is_wanted && !is_missing && !is_under && tally.bad == 0) return;
    file.blocks.push_back({.located = checker_.locator_.LocateBlock(block),
                           .wanted = block.replication,
                           .tally = tally,
                           .replicas = checker_.locator_.ReplicasOf(block.block.id)});
  }

  const FileChecker& checker_;
  const Transaction& txn_;
  const Caller& caller_;
  const CheckRequest& request_;
  CheckPage page_;
  std::vector<Level> levels_;
  Path last_;
  std::optional<uint64_t> cut_off_at_;  // in the middle of the file `last_`
  size_t names_left_;
  size_t blocks_left_ = kBlocksMax;
};

Result<CheckPage> FileChecker::Check(const Transaction& txn,
                                     const Caller& caller,
                                     const CheckRequest& request) const {
  return Walk(*this, txn, caller, request).Run();
}

}  // namespace slipstream::dfs::master
