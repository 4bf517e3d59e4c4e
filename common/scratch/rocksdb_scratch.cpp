#include "common/scratch/rocksdb_scratch.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/options.h>

#include "common/log/log.h"
#include "common/rocksdb/block_tables.h"
#include "common/sync/mutex.h"

namespace slipstream {
namespace {

// Before every key: the number of its space, big-endian.
constexpr size_t kPrefixBytes = 4;
constexpr size_t kMemoryMin = size_t{1} << 20;

rocksdb::Slice SliceOf(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}

std::string_view ViewOf(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

std::string PrefixOf(uint32_t number) {
  std::string prefix;
  for (int shift = 24; shift >= 0; shift -= 8)
    prefix.push_back(static_cast<char>((number >> shift) & 0xFF));
  return prefix;
}

rocksdb::Options MakeOptions(size_t memory_bytes) {
  // Few shards: what does not fit into one is never kept, however often it is read.
  constexpr int kShardBits = 2;
  rocksdb::Options options;
  options.table_factory = MakeBlockTables(rocksdb::NewLRUCache(memory_bytes / 4, kShardBits));
  options.create_if_missing = true;
  options.write_buffer_size = std::clamp<size_t>(memory_bytes / 8, 256 << 10, 64 << 20);
  options.max_write_buffer_number = 2;
  options.max_background_jobs = 2;
  options.level_compaction_dynamic_level_bytes = true;
  options.compression = rocksdb::kLZ4Compression;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  options.max_open_files = 512;
  options.keep_log_file_num = 1;
  options.info_log_level = rocksdb::ERROR_LEVEL;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  // It is thrown away.
  options.avoid_flush_during_shutdown = true;
  options.paranoid_checks = true;
  return options;
}

class RocksDbScratch final : public ScratchStore {
 public:
  RocksDbScratch(std::unique_ptr<rocksdb::DB> db, std::filesystem::path dir, size_t cache_bytes)
      : db_(std::move(db)), dir_(std::move(dir)), cache_bytes_(cache_bytes) {
    write_.disableWAL = true;
  }
  ~RocksDbScratch() override {
    db_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(dir_, ignored);
  }
  RocksDbScratch(const RocksDbScratch&) = delete;
  RocksDbScratch& operator=(const RocksDbScratch&) = delete;

  std::unique_ptr<ScratchSpace> NewSpace() override;
  Status status() const override {
    if (!has_failed_.load(std::memory_order_acquire)) return {};
    MutexLock lock(mutex_);
    return failure_;
  }
  Counters counters() const override {
    Counters counters{.written_bytes = written_bytes_.load(std::memory_order_relaxed),
                      .reads = reads_.load(std::memory_order_relaxed),
                      .reads_found = reads_found_.load(std::memory_order_relaxed),
                      .cached_bytes = cached_bytes_.load(std::memory_order_relaxed)};
    db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &counters.disk_bytes);
    return counters;
  }

 private:
  class Space;

  bool IsUsable() const { return !has_failed_.load(std::memory_order_relaxed); }
  void Note(const rocksdb::Status& status) {
    if (status.ok()) return;
    const std::string message = status.ToString();
    Fail(status.IsNoSpace()      ? ResourceExhausted(message)
         : status.IsCorruption() ? DataLoss(message)
                                 : Internal(message));
  }
  void Fail(const Status& status) {
    MutexLock lock(mutex_);
    if (!failure_.ok()) return;
    failure_ = status.WithContext("scratch " + dir_.string());
    has_failed_.store(true, std::memory_order_release);
  }

  std::unique_ptr<rocksdb::DB> db_;
  const std::filesystem::path dir_;
  const size_t cache_bytes_;  // of all spaces
  rocksdb::WriteOptions write_;
  std::atomic<uint32_t> next_number_{0};
  std::atomic<size_t> caching_count_{0};  // spaces with something in memory in front of them
  std::atomic<uint64_t> written_bytes_{0};
  std::atomic<uint64_t> reads_{0};
  std::atomic<uint64_t> reads_found_{0};
  std::atomic<uint64_t> cached_bytes_{0};
  std::atomic<bool> has_failed_{false};
  mutable Mutex mutex_;
  Status failure_ GUARDED_BY(mutex_);
};

class RocksDbScratch::Space final : public ScratchSpace {
 public:
  Space(RocksDbScratch& store, uint32_t number)
      : store_(store), number_(number), key_(PrefixOf(number)) {}
  ~Space() override {
    SetCached(0);
    if (!is_used_) return;
    // Numbers do not come again: what this leaves behind is in nobody's way.
    store_.Note(store_.db_->DeleteRange(store_.write_,
                                        store_.db_->DefaultColumnFamily(),
                                        PrefixOf(number_),
                                        PrefixOf(number_ + 1)));
  }
  Space(const Space&) = delete;
  Space& operator=(const Space&) = delete;

  void Put(std::string_view key, std::string_view value) override {
    if (!store_.IsUsable()) return;
    is_used_ = true;
    store_.Note(store_.db_->Put(store_.write_, FullKey(key), SliceOf(value)));
    store_.written_bytes_.fetch_add(key.size() + value.size(), std::memory_order_relaxed);
  }
  void Delete(std::string_view key) override {
    if (!store_.IsUsable() || !is_used_) return;
    store_.Note(store_.db_->Delete(store_.write_, FullKey(key)));
  }
  bool Get(std::string_view key, std::string& value) override {
    if (!store_.IsUsable() || !is_used_) return false;
    const rocksdb::Status status = store_.db_->Get(read_, FullKey(key), &value);
    store_.reads_.fetch_add(1, std::memory_order_relaxed);
    if (!status.IsNotFound()) store_.Note(status);
    if (!status.ok()) return false;
    store_.reads_found_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  void ScanFrom(const Range& range, const Visit& visit) override {
    if (!store_.IsUsable() || !is_used_) return;
    const std::string prefix(ViewOf(FullKey(range.prefix)));
    const std::string end = PrefixOf(number_ + 1);
    const rocksdb::Slice end_slice(end);
    rocksdb::ReadOptions read = read_;
    read.iterate_upper_bound = &end_slice;
    const std::unique_ptr<rocksdb::Iterator> entry(store_.db_->NewIterator(read));
    bool has_found = false;
    for (entry->Seek(FullKey(range.first)); entry->Valid(); entry->Next()) {
      const std::string_view key = ViewOf(entry->key());
      if (!key.starts_with(prefix)) break;
      has_found = true;
      if (!visit(key.substr(kPrefixBytes), ViewOf(entry->value()))) break;
    }
    store_.Note(entry->status());
    store_.reads_.fetch_add(1, std::memory_order_relaxed);
    if (has_found) store_.reads_found_.fetch_add(1, std::memory_order_relaxed);
  }

  void Fail(const Status& status) override { store_.Fail(status); }
  size_t cache_bytes() const override {
    const size_t others = store_.caching_count_.load(std::memory_order_relaxed) - is_caching();
    return store_.cache_bytes_ / (others + 1);
  }
  void SetCached(size_t bytes) override {
    if (bytes > 0 && !is_caching()) store_.caching_count_.fetch_add(1, std::memory_order_relaxed);
    if (bytes == 0 && is_caching()) store_.caching_count_.fetch_sub(1, std::memory_order_relaxed);
    store_.cached_bytes_.fetch_add(bytes - cached_bytes_, std::memory_order_relaxed);
    cached_bytes_ = bytes;
  }
  size_t cached_bytes() const override { return cached_bytes_; }

 private:
  bool is_caching() const { return cached_bytes_ > 0; }
  rocksdb::Slice FullKey(std::string_view key) {
    key_.resize(kPrefixBytes);
    key_.append(key);
    return key_;
  }

  RocksDbScratch& store_;
  const uint32_t number_;
  std::string key_;  // of the call at hand
  const rocksdb::ReadOptions read_;
  size_t cached_bytes_ = 0;
  bool is_used_ = false;
};

std::unique_ptr<ScratchSpace> RocksDbScratch::NewSpace() {
  return std::make_unique<Space>(*this, next_number_.fetch_add(1, std::memory_order_relaxed));
}

// Stores whose process is gone: DestroyDB fails on those that are locked.
void RemoveLeftOvers(const RocksDbScratchOptions& options) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options.dir, error)) {
    if (!entry.path().filename().string().starts_with(options.name + ".scratch-")) continue;
    if (!rocksdb::DestroyDB(entry.path().string(), rocksdb::Options()).ok()) continue;
    std::error_code ignored;
    std::filesystem::remove_all(entry.path(), ignored);
    log::Get("scratch")->info("left_over_scratch_removed dir={}",
                              log::Quoted(entry.path().string()));
  }
}

}  // namespace

Result<std::unique_ptr<ScratchStore>> OpenRocksDbScratch(const RocksDbScratchOptions& options) {
  std::error_code error;
  std::filesystem::create_directories(options.dir, error);
  if (error) return Unavailable("make " + options.dir.string() + ": " + error.message());
  RemoveLeftOvers(options);
  std::string dir = (options.dir / (options.name + ".scratch-XXXXXX")).string();
  if (::mkdtemp(dir.data()) == nullptr) {
    const std::error_code why(errno, std::generic_category());
    return Unavailable("make " + dir + ": " + why.message());
  }
  const size_t memory_bytes = std::max(options.memory_bytes, kMemoryMin);
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(MakeOptions(memory_bytes), dir, &opened);
  std::unique_ptr<rocksdb::DB> db(opened);
  if (!status.ok()) {
    std::filesystem::remove_all(dir, error);
    return Unavailable("open scratch " + dir + ": " + status.ToString());
  }
  return std::unique_ptr<ScratchStore>(std::make_unique<RocksDbScratch>(
      std::move(db), dir, options.cache_bytes.value_or(memory_bytes / 2)));
}

}  // namespace slipstream
