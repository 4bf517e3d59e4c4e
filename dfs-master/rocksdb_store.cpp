#include "dfs-master/rocksdb_store.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <utility>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include "common/sync/mutex.h"
#include "dfs-master/file_guard.h"
#include "dfs-master/rocksdb_log.h"
#include "dfs-master/rocksdb_options.h"

namespace slipstream::dfs::master {
namespace {

rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view ToView(const rocksdb::Slice& slice) {
  return {slice.data(), slice.size()};
}

Status FromRocksDb(const rocksdb::Status& status, std::string_view context) {
  if (status.ok()) return {};
  Code code = Code::kUnavailable;
  if (status.IsCorruption()) code = Code::kDataLoss;
  if (status.IsNoSpace()) code = Code::kResourceExhausted;
  return Status(code, status.ToString()).WithContext(context);
}

// RocksDB goes on reading after its background work has failed, and may try to go on writing; the
// master must not.
class FatalListener final : public rocksdb::EventListener {
 public:
  explicit FatalListener(std::function<void(const Status&)> on_fatal)
      : on_fatal_(std::move(on_fatal)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* error) override {
    Report(FromRocksDb(*error, "rocksdb background work"));
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason,
                            rocksdb::Status,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

  void Report(const Status& error) {
    has_failed_ = true;
    // Whoever fails next waits here: RocksDB would go on in it while the first is ending the
    // process.
    if (on_fatal_) std::call_once(called_, on_fatal_, error);
  }

  // From the first failure on the log must not be touched again: RocksDB asserts that nobody does,
  // and others may be about to sync it while the process is ending.
  void Fail() { has_failed_ = true; }
  Status Check() const {
    return has_failed_ ? Unavailable("the log could not be written") : Status();
  }

 private:
  const std::function<void(const Status&)> on_fatal_;
  std::once_flag called_;
  std::atomic<bool> has_failed_{false};
};

rocksdb::DBOptions MakeDbOptions(size_t write_buffer_bytes,
                                 const std::shared_ptr<FatalListener>& listener,
                                 rocksdb::Env& env) {
  rocksdb::DBOptions result;
  result.env = &env;
  result.db_write_buffer_size = write_buffer_bytes;
  result.create_if_missing = true;
  result.create_missing_column_families = true;
  result.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  result.paranoid_checks = true;
  result.max_total_wal_size = uint64_t{64} << 20;
  result.max_background_jobs = 2;
  result.max_open_files = 256;
  result.info_log = MakeRocksDbLog();
  result.listeners.push_back(listener);
  return result;
}

Status ScanTable(rocksdb::DB& db,
                 rocksdb::ColumnFamilyHandle* handle,
                 const rocksdb::Snapshot* snapshot,
                 std::string_view begin,
                 std::string_view end,
                 const KeyValueView::Visitor& visit) {
  rocksdb::ReadOptions read;
  read.snapshot = snapshot;
  rocksdb::Slice upper = ToSlice(end);
  if (!end.empty()) read.iterate_upper_bound = &upper;
  std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(read, handle));
  for (it->Seek(ToSlice(begin)); it->Valid(); it->Next()) {
    if (!visit(ToView(it->key()), ToView(it->value()))) break;
  }
  return FromRocksDb(it->status(), handle->GetName());
}

using Handles = std::array<rocksdb::ColumnFamilyHandle*, kTableCount>;

class SnapshotView final : public KeyValueView {
 public:
  SnapshotView(rocksdb::DB& db, const Handles& tables)
      : db_(db), tables_(tables), snapshot_(db.GetSnapshot()) {}
  ~SnapshotView() override { db_.ReleaseSnapshot(snapshot_); }
  SnapshotView(const SnapshotView&) = delete;
  SnapshotView& operator=(const SnapshotView&) = delete;

  Status Scan(Table table,
              std::string_view begin,
              std::string_view end,
              const Visitor& visit) const override {
    return ScanTable(db_, tables_[static_cast<size_t>(table)], snapshot_, begin, end, visit);
  }

 private:
  rocksdb::DB& db_;
  const Handles& tables_;
  const rocksdb::Snapshot* const snapshot_;
};

}  // namespace

struct RocksDbStore::Impl {
  std::shared_ptr<FatalListener> failure;  // RocksDB has it, too
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;
  Handles tables{};
  rocksdb::ColumnFamilyHandle* default_table = nullptr;

  // Apply is one caller at a time, so that a position belongs to one batch.
  Mutex apply_mutex;

  mutable Mutex sync_mutex;
  CondVar sync_done;
  bool is_syncing GUARDED_BY(sync_mutex) = false;
  uint64_t durable_position GUARDED_BY(sync_mutex) = 0;
  Status sync_error GUARDED_BY(sync_mutex);

  rocksdb::ColumnFamilyHandle* HandleOf(Table table) const {
    return tables[static_cast<size_t>(table)];
  }
};

RocksDbStore::RocksDbStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

RocksDbStore::~RocksDbStore() {
  for (rocksdb::ColumnFamilyHandle* handle : impl_->tables) {
    (void)impl_->db->DestroyColumnFamilyHandle(handle);
  }
  (void)impl_->db->DestroyColumnFamilyHandle(impl_->default_table);
}

Result<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(const Options& options) {
  std::error_code error;
  std::filesystem::create_directories(options.directory, error);
  if (error) return ErrnoStatus(error.value(), "create " + options.directory.string());

  auto cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  rocksdb::ColumnFamilyOptions table_options =
      MakeTableOptions(options.write_buffer_bytes / 4, cache);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, table_options);
  for (size_t i = 0; i < kTableCount; ++i) {
    families.emplace_back(TableName(static_cast<Table>(i)), table_options);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  auto failure = std::make_shared<FatalListener>(options.on_fatal);
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(GuardFiles(
      rocksdb::FileSystem::Default(), options.directory, [failure](const Status& failed) {
        failure->Report(failed);
      }));
  rocksdb::DB* db = nullptr;
  RETURN_IF_ERROR(
      FromRocksDb(rocksdb::DB::Open(MakeDbOptions(options.write_buffer_bytes, failure, *env),
                                    options.directory.string(),
                                    families,
                                    &handles,
                                    &db),
                  "open " + options.directory.string()));

  auto impl = std::make_unique<Impl>();
  impl->failure = std::move(failure);
  impl->env = std::move(env);
  impl->db.reset(db);
  impl->default_table = handles[0];
  std::copy(handles.begin() + 1, handles.end(), impl->tables.begin());
  std::unique_ptr<RocksDbStore> store(new RocksDbStore(std::move(impl)));
  // What was read back may have been in the operating system's cache only.
  RETURN_IF_ERROR(store->Sync(store->position()));
  return store;
}

Result<uint64_t> RocksDbStore::Checkpoint(const std::filesystem::path& directory) const {
  rocksdb::Checkpoint* made = nullptr;
  RETURN_IF_ERROR(FromRocksDb(rocksdb::Checkpoint::Create(impl_->db.get(), &made), "checkpoint"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  // Whatever is there now is written to files of its own before they are copied.
  const uint64_t position = impl_->db->GetLatestSequenceNumber();
  RETURN_IF_ERROR(FromRocksDb(checkpoint->CreateCheckpoint(directory.string()),
                              "checkpoint " + directory.string()));
  return position;
}

Status RocksDbStore::Verify() const {
  return FromRocksDb(impl_->db->VerifyChecksum(), "verify");
}

Result<std::optional<std::string>> RocksDbStore::Get(Table table, std::string_view key) const {
  std::string value;
  rocksdb::Status status =
      impl_->db->Get(rocksdb::ReadOptions(), impl_->HandleOf(table), ToSlice(key), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  RETURN_IF_ERROR(FromRocksDb(status, TableName(table)));
  return std::optional<std::string>(std::move(value));
}

Status RocksDbStore::Scan(Table table,
                          std::string_view begin,
                          std::string_view end,
                          const Visitor& visit) const {
  return ScanTable(*impl_->db, impl_->HandleOf(table), nullptr, begin, end, visit);
}

std::unique_ptr<KeyValueView> RocksDbStore::Snapshot() const {
  return std::make_unique<SnapshotView>(*impl_->db, impl_->tables);
}

Result<std::optional<KeyValueStore::Entry>> RocksDbStore::FindLast(Table table,
                                                                   std::string_view begin,
                                                                   std::string_view end) const {
  std::unique_ptr<rocksdb::Iterator> it(
      impl_->db->NewIterator(rocksdb::ReadOptions(), impl_->HandleOf(table)));
  if (end.empty()) {
    it->SeekToLast();
  } else {
    it->SeekForPrev(ToSlice(end));
    if (it->Valid() && ToView(it->key()) == end) it->Prev();
  }
  RETURN_IF_ERROR(FromRocksDb(it->status(), TableName(table)));
  if (!it->Valid() || ToView(it->key()) < begin) return std::optional<Entry>();
  return std::optional<Entry>(Entry{.key = it->key().ToString(), .value = it->value().ToString()});
}

Result<uint64_t> RocksDbStore::Apply(const WriteBatch& batch) {
  rocksdb::WriteBatch writes;
  for (const WriteBatch::Change& change : batch.changes()) {
    rocksdb::ColumnFamilyHandle* table = impl_->HandleOf(change.table);
    rocksdb::Status status = change.value.has_value() ? writes.Put(table, change.key, *change.value)
                                                      : writes.Delete(table, change.key);
    RETURN_IF_ERROR(FromRocksDb(status, "batch"));
  }
  MutexLock lock(impl_->apply_mutex);
  RETURN_IF_ERROR(impl_->failure->Check());
  const Status status = FromRocksDb(impl_->db->Write(rocksdb::WriteOptions(), &writes), "write");
  if (!status.ok()) {
    impl_->failure->Fail();
    return status;
  }
  return impl_->db->GetLatestSequenceNumber();
}

Status RocksDbStore::Sync(uint64_t position) {
  MutexLock lock(impl_->sync_mutex);
  while (impl_->durable_position < position) {
    RETURN_IF_ERROR(impl_->sync_error);
    if (impl_->is_syncing) {
      impl_->sync_done.Wait(impl_->sync_mutex);
      continue;
    }
    // The first to come syncs for all who have written by now; those who write meanwhile wait for
    // the next round.
    impl_->is_syncing = true;
    impl_->sync_mutex.Unlock();
    uint64_t written = impl_->db->GetLatestSequenceNumber();
    Status status = impl_->failure->Check();
    if (status.ok()) status = FromRocksDb(impl_->db->SyncWAL(), "sync log");
    if (!status.ok()) impl_->failure->Fail();
    impl_->sync_mutex.Lock();
    impl_->is_syncing = false;
    if (status.ok()) {
      impl_->durable_position = std::max(impl_->durable_position, written);
    } else {
      impl_->sync_error = status;
    }
    impl_->sync_done.NotifyAll();
  }
  return {};
}

uint64_t RocksDbStore::position() const {
  return impl_->db->GetLatestSequenceNumber();
}

uint64_t RocksDbStore::durable_position() const {
  MutexLock lock(impl_->sync_mutex);
  return impl_->durable_position;
}

}  // namespace slipstream::dfs::master
