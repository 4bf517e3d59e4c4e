#include "dfs-client/file_reader.h"

#include <algorithm>
#include <deque>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/sync/mutex.h"
#include "dfs-client/master_client.h"
#include "dfs-client/node_client.h"
#include "dfs-client/replica_reader.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {
namespace {

// How often the blocks of one segment may be found replaced. Each time is a merge, of which a block
// sees a few in its life.
constexpr int kReplacedMax = 10;

Status Changed() {
  return FailedPrecondition("the file was changed while it was read");
}

}  // namespace

struct FileReader::Impl {
  // A block and where in the file it stands. Several segments of it may be on their way at once,
  // and any of them may find new locations, or another block in its place.
  struct Entry {
    uint64_t offset_bytes = 0;
    LocatedBlock located;
    uint64_t end() const { return offset_bytes + located.length_bytes; }
  };
  // A piece of the file, within one block as long as that one stands.
  struct Segment {
    uint64_t offset_bytes = 0;
    uint64_t length_bytes = 0;
  };
  struct Pending {
    Segment segment;
    std::future<Result<std::string>> raw;
  };

  Impl(const Options& options, const Parts& borrowed, FileBlocks blocks)
      : parts(borrowed),
        status(std::move(blocks.status)),
        replicas({.timeout = options.timeout,
                  .attempt_timeout = options.attempt_timeout,
                  .seed = options.seed,
                  .stop = options.stop,
                  .clock = options.clock,
                  .sleeper = options.sleeper},
                 {.master = borrowed.master,
                  .nodes = borrowed.nodes,
                  .hedged = borrowed.hedged,
                  .suspects = borrowed.suspects,
                  .notices = borrowed.notices}),
        outer_stop(options.stop, [this] { stop.request_stop(); }) {
    MutexLock lock(mutex);
    Add(blocks);
  }

  void Add(FileBlocks& blocks) REQUIRES(mutex);
  // Puts blocks the master gave now in the place of those known from there on.
  Status Splice(FileBlocks fresh);
  Entry* FindEntry(uint64_t offset_bytes) REQUIRES(mutex);
  // A copy of the entry that holds `offset_bytes` (< length), asking the master for more when
  // needed.
  Result<Entry> EntryAt(uint64_t offset_bytes);
  Result<Segment> SegmentAt(uint64_t offset_bytes, uint64_t length_bytes_max);
  Result<std::string> Read(Entry entry, const NodeClient::Range& range);
  // Asks the master what stands in the place of a block.
  Status Replace(const Entry& lost);
  Result<std::string> Fetch(const Segment& segment);
  // What is left of the file, where that is one segment: there is nothing to fetch beside it, so
  // the caller's own thread does. None where it is more, or nothing.
  Result<std::optional<std::string>> FetchRest();
  Status FillWindow();
  void DropWindow();

  const Parts parts;
  const FileStatus status;
  ReplicaReader replicas;

  Mutex mutex;
  // A deque: entries stay where they are while more are added.
  std::deque<Entry> entries GUARDED_BY(mutex);

  uint64_t next_offset = 0;   // of the next chunk
  uint64_t ahead_offset = 0;  // where the window ends
  std::deque<Pending> window;

  std::stop_source stop;
  std::stop_callback<std::function<void()>> outer_stop;
};

void FileReader::Impl::Add(FileBlocks& blocks) {
  uint64_t offset = blocks.first_block_offset_bytes;
  for (LocatedBlock& located : blocks.blocks) {
    const uint64_t length_bytes = located.length_bytes;
    entries.push_back({.offset_bytes = offset, .located = std::move(located)});
    offset += length_bytes;
  }
}

Status FileReader::Impl::Splice(FileBlocks fresh) {
  const bool is_same = fresh.status.truncation_count == status.truncation_count &&
                       fresh.status.length_bytes >= status.length_bytes;
  if (!is_same || fresh.blocks.empty()) return Changed();
  MutexLock lock(mutex);
  while (!entries.empty() && entries.back().end() > fresh.first_block_offset_bytes)
    entries.pop_back();
  const uint64_t known_bytes = entries.empty() ? 0 : entries.back().end();
  // What the file has lost of its blocks it has lost as wholes.
  if (known_bytes != fresh.first_block_offset_bytes) return Changed();
  Add(fresh);
  return {};
}

FileReader::Impl::Entry* FileReader::Impl::FindEntry(uint64_t offset_bytes) {
  auto after = std::upper_bound(
      entries.begin(), entries.end(), offset_bytes, [](uint64_t offset, const Entry& entry) {
        return offset < entry.offset_bytes;
      });
  if (after == entries.begin() || offset_bytes >= std::prev(after)->end()) return nullptr;
  return &*std::prev(after);
}

Result<FileReader::Impl::Entry> FileReader::Impl::EntryAt(uint64_t offset_bytes) {
  while (true) {
    uint64_t known_bytes = 0;
    {
      MutexLock lock(mutex);
      if (const Entry* entry = FindEntry(offset_bytes)) return *entry;
      if (!entries.empty()) known_bytes = entries.back().end();
    }
    ASSIGN_OR_RETURN(FileBlocks more, parts.master.LocateBlocks(status.inode_id, known_bytes));
    RETURN_IF_ERROR(Splice(std::move(more)));
    MutexLock lock(mutex);
    if (entries.back().end() <= known_bytes) return Changed();
  }
}

Result<FileReader::Impl::Segment> FileReader::Impl::SegmentAt(uint64_t offset_bytes,
                                                              uint64_t length_bytes_max) {
  ASSIGN_OR_RETURN(const Entry entry, EntryAt(offset_bytes));
  const uint64_t offset = offset_bytes - entry.offset_bytes;
  // Segments end at multiples of their size, and so on the borders of frames.
  const uint64_t border = (offset / kSegmentBytes + 1) * kSegmentBytes;
  const uint64_t end = std::min(border, entry.located.length_bytes);
  return Segment{.offset_bytes = offset_bytes,
                 .length_bytes = std::min(end - offset, length_bytes_max)};
}

Result<std::string> FileReader::Impl::Fetch(const Segment& segment) {
  std::string raw;
  int replaced = 0;
  while (raw.size() < segment.length_bytes) {
    const uint64_t offset = segment.offset_bytes + raw.size();
    ASSIGN_OR_RETURN(const Entry entry, EntryAt(offset));
    Result<std::string> part =
        Read(entry,
             {.offset = offset - entry.offset_bytes,
              .length = std::min(segment.length_bytes - raw.size(), entry.end() - offset)});
    if (part.status().code() == Code::kAborted && ++replaced <= kReplacedMax) {
      RETURN_IF_ERROR(Replace(entry));
      continue;
    }
    if (!part.ok()) return part;
    raw = raw.empty() ? std::move(*part) : raw + *part;
  }
  return raw;
}

Result<std::string> FileReader::Impl::Read(Entry entry, const NodeClient::Range& range) {
  const std::vector<NodeAddress> nodes_before = entry.located.nodes;
  const std::string token_before = entry.located.token;
  auto raw = replicas.Read({.inode_id = status.inode_id, .block_offset_bytes = entry.offset_bytes},
                           entry.located,
                           range,
                           stop.get_token());
  if (entry.located.nodes != nodes_before || entry.located.token != token_before) {
    MutexLock lock(mutex);
    Entry* known = FindEntry(entry.offset_bytes);
    if (known != nullptr && known->located.block == entry.located.block) {
      known->located = std::move(entry.located);
    }
  }
  return raw;
}

Status FileReader::Impl::Replace(const Entry& lost) {
  {
    MutexLock lock(mutex);
    const Entry* known = FindEntry(lost.offset_bytes);
    // Another segment of it was here before.
    if (known == nullptr || known->located.block != lost.located.block) return {};
  }
  Result<FileBlocks> fresh = parts.master.LocateBlocks(status.inode_id, lost.offset_bytes);
  if (fresh.status().code() == Code::kOutOfRange) return Changed();
  if (!fresh.ok()) return fresh.status();
  return Splice(std::move(*fresh));
}

Status FileReader::Impl::FillWindow() {
  while (ahead_offset < status.length_bytes && window.size() < kWindowSegments &&
         (window.empty() || ahead_offset + kSegmentBytes <= next_offset + kWindowBytes)) {
    auto segment = SegmentAt(ahead_offset, status.length_bytes - ahead_offset);
    if (!segment.ok()) {
      // What is on its way is good; the error is told when its place is reached.
      return window.empty() ? segment.status() : Status();
    }
    window.push_back(
        {.segment = *segment, .raw = parts.pool.Submit([this, s = *segment] { return Fetch(s); })});
    ahead_offset += segment->length_bytes;
  }
  return {};
}

Result<std::optional<std::string>> FileReader::Impl::FetchRest() {
  const uint64_t rest_bytes = status.length_bytes - next_offset;
  if (rest_bytes == 0 || rest_bytes > kSegmentBytes) return std::optional<std::string>();
  ASSIGN_OR_RETURN(const Segment segment, SegmentAt(next_offset, rest_bytes));
  if (segment.length_bytes < rest_bytes) return std::optional<std::string>();
  Result<std::string> raw = Fetch(segment);
  if (!raw.ok()) return raw.status().WithContext(fmt::format("read at {}", next_offset));
  next_offset += rest_bytes;
  ahead_offset = next_offset;
  return std::optional<std::string>(*std::move(raw));
}

void FileReader::Impl::DropWindow() {
  for (Pending& pending : window)
    pending.raw.wait();
  window.clear();
  ahead_offset = next_offset;
}

FileReader::FileReader(const Options& options, const Parts& parts, FileBlocks blocks)
    : impl_(std::make_unique<Impl>(options, parts, std::move(blocks))) {}

FileReader::~FileReader() {
  impl_->stop.request_stop();
  impl_->DropWindow();
}

const FileStatus& FileReader::status() const {
  return impl_->status;
}

Result<std::string> FileReader::Next() {
  if (impl_->window.empty()) {
    ASSIGN_OR_RETURN(std::optional<std::string> rest, impl_->FetchRest());
    if (rest.has_value()) return *std::move(rest);
  }
  RETURN_IF_ERROR(impl_->FillWindow());
  if (impl_->window.empty()) return std::string();
  Impl::Pending pending = std::move(impl_->window.front());
  impl_->window.pop_front();
  Result<std::string> raw = pending.raw.get();
  if (!raw.ok()) {
    impl_->DropWindow();
    return raw.status().WithContext(fmt::format("read at {}", pending.segment.offset_bytes));
  }
  impl_->next_offset = pending.segment.offset_bytes + pending.segment.length_bytes;
  return raw;
}

Status FileReader::Seek(uint64_t offset_bytes) {
  if (offset_bytes > impl_->status.length_bytes) {
    return OutOfRange(
        fmt::format("seek to {} in a file of {} bytes", offset_bytes, impl_->status.length_bytes));
  }
  impl_->DropWindow();
  impl_->next_offset = offset_bytes;
  impl_->ahead_offset = offset_bytes;
  return {};
}

Result<std::string> FileReader::ReadAt(uint64_t offset_bytes, uint64_t length_bytes) {
  std::string out;
  if (offset_bytes >= impl_->status.length_bytes) return out;
  const uint64_t end =
      offset_bytes + std::min(length_bytes, impl_->status.length_bytes - offset_bytes);
  while (offset_bytes < end) {
    ASSIGN_OR_RETURN(Impl::Segment segment, impl_->SegmentAt(offset_bytes, end - offset_bytes));
    auto raw = impl_->Fetch(segment);
    if (!raw.ok()) return raw.status().WithContext(fmt::format("read at {}", offset_bytes));
    offset_bytes += raw->size();
    out.append(*raw);
  }
  return out;
}

}  // namespace slipstream::dfs
