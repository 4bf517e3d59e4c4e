#include "dfs-client/file_reader.h"

#include <algorithm>
#include <deque>
#include <future>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/sync/mutex.h"
#include "dfs-client/master_client.h"
#include "dfs-client/node_client.h"
#include "dfs-client/replica_reader.h"
#include "dfs-client/worker_pool.h"

namespace slipstream::dfs {

struct FileReader::Impl {
  // A block and where in the file it stands. Several segments of it may be on their way at once,
  // and any of them may find new locations.
  struct Entry {
    uint64_t offset_bytes = 0;
    LocatedBlock located;
    uint64_t end() const { return offset_bytes + located.length_bytes; }
  };
  struct Segment {
    size_t entry = 0;
    NodeClient::Range range;  // in the block
  };
  struct Pending {
    uint64_t offset_bytes = 0;  // in the file
    uint64_t length_bytes = 0;
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
    Add(blocks);
  }

  void Add(FileBlocks& blocks);
  // The entry that holds `offset_bytes` (< length), asking the master for more when needed.
  Result<size_t> EntryAt(uint64_t offset_bytes);
  Result<Segment> SegmentAt(uint64_t offset_bytes, uint64_t length_bytes_max);
  Result<std::string> Fetch(const Segment& segment);
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
  MutexLock lock(mutex);
  uint64_t offset = blocks.first_block_offset_bytes;
  for (LocatedBlock& located : blocks.blocks) {
    const uint64_t length_bytes = located.length_bytes;
    entries.push_back({.offset_bytes = offset, .located = std::move(located)});
    offset += length_bytes;
  }
}

Result<size_t> FileReader::Impl::EntryAt(uint64_t offset_bytes) {
  while (true) {
    uint64_t known_bytes = 0;
    {
      MutexLock lock(mutex);
      if (!entries.empty()) known_bytes = entries.back().end();
      if (offset_bytes < known_bytes) {
        auto after = std::upper_bound(
            entries.begin(), entries.end(), offset_bytes, [](uint64_t offset, const Entry& entry) {
              return offset < entry.offset_bytes;
            });
        return static_cast<size_t>(after - entries.begin()) - 1;
      }
    }
    ASSIGN_OR_RETURN(FileBlocks more, parts.master.LocateBlocks(status.inode_id, known_bytes));
    if (more.first_block_offset_bytes != known_bytes || more.blocks.empty()) {
      return FailedPrecondition("the file was changed while it was read");
    }
    Add(more);
  }
}

Result<FileReader::Impl::Segment> FileReader::Impl::SegmentAt(uint64_t offset_bytes,
                                                              uint64_t length_bytes_max) {
  ASSIGN_OR_RETURN(size_t index, EntryAt(offset_bytes));
  MutexLock lock(mutex);
  const Entry& entry = entries[index];
  const uint64_t offset = offset_bytes - entry.offset_bytes;
  // Segments end at multiples of their size, and so on the borders of frames.
  const uint64_t border = (offset / kSegmentBytes + 1) * kSegmentBytes;
  const uint64_t end = std::min(border, entry.located.length_bytes);
  return Segment{.entry = index,
                 .range = {.offset = offset, .length = std::min(end - offset, length_bytes_max)}};
}

Result<std::string> FileReader::Impl::Fetch(const Segment& segment) {
  Entry entry;
  {
    MutexLock lock(mutex);
    entry = entries[segment.entry];
  }
  const std::vector<NodeAddress> before = entry.located.nodes;
  auto raw = replicas.Read({.inode_id = status.inode_id, .block_offset_bytes = entry.offset_bytes},
                           entry.located,
                           segment.range,
                           stop.get_token());
  if (entry.located.nodes != before) {
    MutexLock lock(mutex);
    entries[segment.entry].located = entry.located;
  }
  return raw;
}

Status FileReader::Impl::FillWindow() {
  while (ahead_offset < status.length_bytes && window.size() < kWindowSegments &&
         (window.empty() || ahead_offset + kSegmentBytes <= next_offset + kWindowBytes)) {
    auto segment = SegmentAt(ahead_offset, status.length_bytes - ahead_offset);
    if (!segment.ok()) {
      // What is on its way is good; the error is told when its place is reached.
      return window.empty() ? segment.status() : Status();
    }
    window.push_back({.offset_bytes = ahead_offset,
                      .length_bytes = segment->range.length,
                      .raw = parts.pool.Submit([this, s = *segment] { return Fetch(s); })});
    ahead_offset += segment->range.length;
  }
  return {};
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
  RETURN_IF_ERROR(impl_->FillWindow());
  if (impl_->window.empty()) return std::string();
  Impl::Pending pending = std::move(impl_->window.front());
  impl_->window.pop_front();
  Result<std::string> raw = pending.raw.get();
  if (!raw.ok()) {
    impl_->DropWindow();
    return raw.status().WithContext(fmt::format("read at {}", pending.offset_bytes));
  }
  impl_->next_offset = pending.offset_bytes + pending.length_bytes;
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
