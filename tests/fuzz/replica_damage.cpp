#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check/check.h"
#include "common/clock/manual_clock.h"
#include "common/fs/memory_file_system.h"
#include "dfs-datanode/pack_format.h"
#include "dfs-datanode/replica_store.h"
#include "tests/fuzz/block_cache.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"
#include "tests/unit/dfs_datanode/replica_fixture.h"

// A datanode's disk with blocks on it, some of its bytes changed, cut off or added while the node
// is down: the node starts again, gives no wrong byte, says of no damaged replica that it is good,
// and still has every replica that nothing happened to.

namespace slipstream::fuzz {
namespace {

using datanode::ReplicaStore;
using datanode::TestBlock;

// Where the bytes of one replica lie: [begin, end) of a file.
struct Extent {
  std::string path;
  uint64_t begin = 0;
  uint64_t end = 0;
};

class DamagedDisk final {
 public:
  explicit DamagedDisk(InputReader& reader) : reader_(reader) {}

  void Run() {
    Fill();
    FindExtents();
    for (int count = 0; count < 8 && !reader_.is_empty() && !files_.empty(); ++count)
      Damage();
    const auto store = Open();
    for (const TestBlock& block : blocks_)
      Check(*store, block);
  }

 private:
  std::unique_ptr<ReplicaStore> Open() {
    datanode::ReplicaStore::Options options = datanode::StoreOptions(fs_);
    options.disks.seed = 1;
    options.disks.disk.salt_seed = 1;
    auto store = ReplicaStore::Open(options, clock_);
    SLIPSTREAM_CHECK(store.ok(), "{}", store.status().ToString());
    return std::move(*store);
  }

  // Streams of blocks, small ones and large ones, and a deletion.
  void Fill() {
    const auto store = Open();
    block::BlockId id = 1;
    for (size_t stream = reader_.Below(4); stream < 4; ++stream) {
      std::vector<TestBlock> written;
      for (size_t count = 1 + reader_.Below(3); count > 0; --count)
        written.push_back(CachedBlock(id++, reader_.Bit() ? 5'000 : 1 + reader_.Byte()));
      const Status status = datanode::Write(*store, written);
      SLIPSTREAM_CHECK(status.ok(), "{}", status.ToString());
      std::move(written.begin(), written.end(), std::back_inserter(blocks_));
    }
    if (!reader_.Bit()) return;
    deleted_ = blocks_[reader_.Below(blocks_.size())].id();
    SLIPSTREAM_CHECK(store->Delete(deleted_).ok(), "not there to be deleted");
    clock_.Advance(std::chrono::hours(1));
    SLIPSTREAM_CHECK(store->Reap() == 1, "not reaped");
  }

  void FindExtents() {
    for (const std::string& path : fs_.Paths()) {
      const std::string content = fs_.Content(path);
      if (path.starts_with("/data/blocks/")) {
        files_.push_back(path);
        if (!path.ends_with(".zst")) continue;
        const std::string name = path.substr(path.rfind('/') + 1, 16);
        extents_[*block::ParseBlockFileName(name)] = {path, 0, content.size()};
      } else if (path.starts_with("/data/packs/")) {
        files_.push_back(path);
        AddPack(path, content);
      }
    }
  }
  void AddPack(const std::string& path, const std::string& content) {
    const auto name = datanode::ParsePackFileName(path.substr(path.rfind('/') + 1));
    for (uint64_t at = 0; at < content.size();) {
      const auto record =
          datanode::ParsePackRecord(std::string_view(content).substr(at), name->salt, at);
      SLIPSTREAM_CHECK(record.ok(), "a pack was written wrong at {}", at);
      if (record->kind == datanode::PackRecordKind::kBlock) {
        extents_[record->block_id] = {path, at, at + record->total_bytes()};
      }
      at += record->total_bytes();
    }
  }

  // Single bytes at a time, each by a difference: a longer piece could be made, from what the
  // checks compare with, into bytes with the right checksum.
  void Damage() {
    const std::string& path = reader_.Pick(files_);
    std::string content = fs_.Content(path);
    switch (reader_.Below(4)) {
      case 0: {  // cut off
        const size_t size = std::min<size_t>(content.size(), reader_.Take<uint16_t>());
        Touch(path, size, UINT64_MAX);
        content.resize(size);
        break;
      }
      case 1:  // grown; only a whole file has an end that this changes
        if (path.find("/blocks/") != std::string::npos) Touch(path, 0, UINT64_MAX);
        content += reader_.Text();
        break;
      default: {
        if (content.empty()) break;
        const size_t at = reader_.Take<uint16_t>() % content.size();
        Touch(path, at, at + 1);
        content[at] = static_cast<char>(content[at] ^ reader_.Byte());
      }
    }
    fs_.SetContent(path, std::move(content));
  }
  void Touch(const std::string& path, uint64_t begin, uint64_t end) {
    for (const auto& [id, extent] : extents_) {
      if (extent.path == path && begin < extent.end && end > extent.begin) touched_.push_back(id);
    }
  }

  void Check(ReplicaStore& store, const TestBlock& block) {
    const Result<std::string> bytes = datanode::ReadAll(store, block.id());
    SLIPSTREAM_CHECK(!bytes.ok() || *bytes == block.stored, "block {} has wrong bytes", block.id());
    const Status verified = store.Verify(block.id());
    SLIPSTREAM_CHECK(!verified.ok() || bytes.ok(), "block {} is good and unreadable", block.id());
    if (verified.code() == Code::kDataLoss) {
      SLIPSTREAM_CHECK(!store.Read(block.id()).ok(), "block {} is bad and still read", block.id());
    }
    const bool is_touched =
        std::find(touched_.begin(), touched_.end(), block.id()) != touched_.end();
    if (is_touched || block.id() == deleted_) return;
    SLIPSTREAM_CHECK(bytes.ok(), "block {}: {}", block.id(), bytes.status().ToString());
    SLIPSTREAM_CHECK(verified.ok(), "block {}: {}", block.id(), verified.ToString());
  }

  InputReader& reader_;
  MemoryFileSystem fs_;
  ManualClock clock_;
  std::vector<TestBlock> blocks_;
  block::BlockId deleted_ = 0;
  std::vector<std::string> files_;  // of replicas
  std::map<block::BlockId, Extent> extents_;
  std::vector<block::BlockId> touched_;
};

void Run(std::string_view input) {
  InputReader reader(input);
  DamagedDisk(reader).Run();
}

std::vector<std::string> Seeds() {
  // One stream: a large block, a small one, no deletion; then a cut, some bytes more, a flip.
  const std::string disk("\3\1\1\0\x20\0", 6);
  return {disk,
          disk + std::string("\2\0\x10\0", 4),
          disk + std::string("\0\1\5hello", 8),
          disk + std::string("\1\2\x30\0\1", 5),
          std::string("\0\2\0\x10\1\0\x20\2\1\1\0\x40\0\0\x50\1\3\2\2\x10\1\x80", 22)};
}

}  // namespace

const Target kReplicaDamage{.name = "replica_damage", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
