#include "dfs-datanode/pack_store.h"

#include <algorithm>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "common/crc32c/crc32c.h"
#include "common/failpoint/failpoint.h"
#include "common/log/log.h"

namespace slipstream::datanode {
namespace {

using block::BlockId;
using block::Identity;

// A sealed pack is rewritten when at most one of this many of its bytes is alive.
constexpr uint64_t kRewriteLiveFraction = 2;
// Blocks are written so many bytes at a time, or more.
constexpr size_t kWriteBytes = size_t{1} << 20;

uint64_t MakeSalt(uint64_t seed, uint64_t number) {
  if (seed != 0) return std::mt19937_64(seed + number)();
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

PackStore::PackStore(const Options& options, FileSystem& fs)
    : options_(options), directory_(options.root + "/packs"), fs_(fs) {}

std::string PackStore::PathOf(const PackName& name) const {
  return directory_ + "/" + PackFileName(name);
}

// ---- The index ----

void PackStore::Index(const Place& place) {
  Unindex(place.identity.block_id);
  index_[place.identity.block_id] = place;
  packs_[place.pack_number].live_bytes += place.total_bytes;
}

void PackStore::Unindex(BlockId block_id) {
  auto found = index_.find(block_id);
  if (found == index_.end()) return;
  if (auto pack = packs_.find(found->second.pack_number); pack != packs_.end()) {
    pack->second.live_bytes -= found->second.total_bytes;
  }
  index_.erase(found);
}

Result<PackStore::Place> PackStore::Find(BlockId block_id) const {
  MutexLock lock(mutex_);
  auto found = index_.find(block_id);
  if (found == index_.end()) return NotFound(fmt::format("block id={} is in no pack", block_id));
  return found->second;
}

Result<PackName> PackStore::NameOf(uint64_t pack_number) const {
  MutexLock lock(mutex_);
  auto found = packs_.find(pack_number);
  if (found == packs_.end()) return NotFound(fmt::format("pack number={} is gone", pack_number));
  return found->second.name;
}

std::vector<Identity> PackStore::List() const {
  MutexLock lock(mutex_);
  std::vector<Identity> identities;
  identities.reserve(index_.size());
  for (const auto& [block_id, place] : index_)
    identities.push_back(place.identity);
  return identities;
}

// ---- Opening ----

Result<std::unique_ptr<PackStore>> PackStore::Open(const Options& options, FileSystem& fs) {
  std::unique_ptr<PackStore> store(new PackStore(options, fs));
  RETURN_IF_ERROR(fs.MakeDirectories(store->directory_));
  ASSIGN_OR_RETURN(std::vector<DirectoryEntry> entries, fs.List(store->directory_));
  std::vector<PackName> names;
  for (const DirectoryEntry& entry : entries) {
    if (Result<PackName> name = ParsePackFileName(entry.name); name.ok()) names.push_back(*name);
  }
  std::sort(names.begin(), names.end(), [](const PackName& a, const PackName& b) {
    return std::pair(a.number, a.salt) < std::pair(b.number, b.salt);
  });
  for (const PackName& name : names) {
    RETURN_IF_ERROR(
        store->ScanPack(name, name.number == names.back().number).WithContext(PackFileName(name)));
    store->next_number_ = name.number + 1;
  }
  return store;
}

// One pass over the records of a pack of `size` bytes. Behind damage the next record is searched
// for.
Result<PackStore::Scan> PackStore::ScanRecords(const File& file,
                                               uint64_t size,
                                               uint64_t salt,
                                               bool checks_frames) {
  Scan scan{.first_damage = size};
  std::string window;
  for (uint64_t offset = 0; offset < size;) {
    window.resize(std::min<uint64_t>(size - offset, kPackRecordBytesMax));
    ASSIGN_OR_RETURN(size_t read, file.Read(offset, window.data(), window.size()));
    window.resize(read);
    Result<PackRecord> record = ParsePackRecord(window, salt, offset);
    if (!record.ok() || record->total_bytes() > size - offset) {
      scan.first_damage = std::min(scan.first_damage, offset);
      window.resize(size - offset - 1);
      ASSIGN_OR_RETURN(read, file.Read(offset + 1, window.data(), window.size()));
      window.resize(read);
      const size_t next = FindPackRecord(window, salt, offset + 1);
      if (next == std::string::npos) break;
      offset += 1 + next;
      continue;
    }
    bool is_good = true;
    if (checks_frames && record->kind == PackRecordKind::kBlock) {
      window.resize(record->meta.identity.stored_bytes);
      ASSIGN_OR_RETURN(read,
                       file.Read(offset + record->record_bytes, window.data(), window.size()));
      is_good = read == window.size() && Crc32c(window) == record->meta.identity.crc32c;
    }
    const uint64_t end = offset + record->total_bytes();
    if (is_good) {
      scan.good_end = end;
      scan.records.emplace_back(offset, std::move(*record));
    } else {
      scan.first_damage = std::min(scan.first_damage, offset);
      scan.bad_blocks.push_back(record->block_id);
    }
    offset = end;
  }
  return scan;
}

// Of a sealed pack every block was synced, so only what is damaged fails to parse. The tail of the
// last one may be anything that was never acknowledged: its frames are checked, too.
Status PackStore::ScanPack(const PackName& name, bool is_last) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   fs_.Open(PathOf(name), is_last ? OpenMode::kUpdate : OpenMode::kRead));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  ASSIGN_OR_RETURN(const Scan scan, ScanRecords(*file, size, name.salt, is_last));
  Pack pack{.name = name, .bytes = size, .is_kept = scan.first_damage < scan.good_end};
  if (scan.first_damage < size) {
    log::Get("datanode.packs")
        ->warn("pack_damaged pack={} bytes={} first_damage={} last_good={} cut={}",
               PackFileName(name),
               size,
               scan.first_damage,
               scan.good_end,
               is_last);
  }
  if (is_last) {
    RETURN_IF_ERROR(SettleTail(*file, scan, pack));
    if (!pack.is_kept && pack.bytes < options_.pack_bytes_max) {
      active_file_ = std::move(file);
      active_name_ = name;
      active_bytes_ = pack.bytes;
    }
  }

  // A mark deletes a block of its own pack only: an earlier pack may hold a copy that is being
  // moved.
  std::unordered_map<BlockId, Place> places;
  for (const auto& [offset, record] : scan.records) {
    places.erase(record.block_id);
    if (record.kind == PackRecordKind::kDeletion) continue;
    places[record.block_id] = {.pack_number = name.number,
                               .offset = offset,
                               .total_bytes = record.total_bytes(),
                               .identity = record.meta.identity};
  }
  MutexLock lock(mutex_);
  packs_[name.number] = pack;
  for (const auto& [block_id, place] : places)
    Index(place);
  return {};
}

// Cuts off what comes after the last good record, and marks blocks before it whose frames are bad
// as deleted, since nobody will check them once the pack is not the last. What is left will be
// reported as ours, so it is made durable even if its writer died before it could see to that.
Status PackStore::SettleTail(File& file, const Scan& scan, Pack& pack) {
  RETURN_IF_ERROR(file.Truncate(scan.good_end));
  pack.bytes = scan.good_end;
  if (pack.is_kept) {
    for (BlockId block_id : scan.bad_blocks) {
      const std::string mark = EncodePackDeletion(block_id, pack.name.salt, pack.bytes);
      RETURN_IF_ERROR(file.Write(pack.bytes, mark));
      pack.bytes += mark.size();
    }
  }
  return file.Sync();
}

// ---- Reading ----

Result<PackStore::OpenRecord> PackStore::ReadRecord(const Place& place) const {
  ASSIGN_OR_RETURN(const PackName name, NameOf(place.pack_number));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(PathOf(name), OpenMode::kRead));
  std::string window(std::min<uint64_t>(place.total_bytes, kPackRecordBytesMax), '\0');
  ASSIGN_OR_RETURN(size_t size, file->Read(place.offset, window.data(), window.size()));
  window.resize(size);
  ASSIGN_OR_RETURN(PackRecord record, ParsePackRecord(window, name.salt, place.offset));
  if (record.kind != PackRecordKind::kBlock || record.meta.identity != place.identity) {
    return DataLoss(fmt::format("block id={}: another record", place.identity.block_id));
  }
  return OpenRecord{.file = std::move(file), .record = std::move(record)};
}

Result<ReplicaReader> PackStore::Read(BlockId block_id) const {
  ASSIGN_OR_RETURN(Place place, Find(block_id));
  Result<OpenRecord> open = ReadRecord(place);
  if (!open.ok() && open.status().code() == Code::kNotFound) {
    // Its pack was rewritten between the two steps; it is elsewhere now.
    ASSIGN_OR_RETURN(place, Find(block_id));
    open = ReadRecord(place);
  }
  if (!open.ok()) return open.status();
  return ReplicaReader(std::move(open->file),
                       place.offset + open->record.record_bytes,
                       std::move(open->record.meta));
}

Status PackStore::Verify(const Identity& identity) const {
  ASSIGN_OR_RETURN(ReplicaReader reader, Read(identity.block_id));
  if (reader.meta().identity != identity) {
    return DataLoss(fmt::format("block id={}: another identity", identity.block_id));
  }
  return reader.VerifyFrames();
}

// ---- Writing ----

Status PackStore::Submit(Request& request) {
  std::vector<Request*> batch;
  {
    MutexLock lock(mutex_);
    waiting_.push_back(&request);
    while (is_writing_ && !request.is_done)
      done_.Wait(mutex_);
    if (request.is_done) return request.status;
    is_writing_ = true;
    batch.swap(waiting_);
  }
  WriteBatch(batch);
  {
    MutexLock lock(mutex_);
    is_writing_ = false;
    for (Request* done : batch)
      done->is_done = true;
  }
  done_.NotifyAll();
  return request.status;
}

Status PackStore::Put(const std::vector<PackedBlock>& blocks) {
  if (blocks.empty()) return {};
  Request request{.blocks = &blocks};
  return Submit(request);
}

Status PackStore::Remove(BlockId block_id) {
  Request request{.removed = block_id};
  return Submit(request);
}

void PackStore::WriteBatch(const std::vector<Request*>& batch) {
  for (Request* request : batch) {
    if (request->removed != 0) request->status = WriteDeletion(request->removed);
  }
  std::vector<Place> places;
  Status status = WriteBlocks(batch, places);
  // Nothing is known of what lies behind the last synced byte; the next write begins a new pack.
  if (!status.ok()) SealActive();

  MutexLock lock(mutex_);
  size_t next = 0;
  for (Request* request : batch) {
    if (request->blocks == nullptr) continue;
    request->status = status;
    if (!status.ok()) continue;
    for (size_t i = 0; i < request->blocks->size(); ++i) {
      const Place& place = places[next++];
      if (request->moved_from_pack != 0) {
        auto found = index_.find(place.identity.block_id);
        if (found == index_.end() || found->second.pack_number != request->moved_from_pack) {
          continue;
        }
      }
      Index(place);
    }
  }
  if (active_file_ != nullptr) packs_[active_name_.number].bytes = active_bytes_;
}

Status PackStore::WriteBlocks(const std::vector<Request*>& batch, std::vector<Place>& places) {
  uint64_t end = 0;
  std::string bytes;  // up to `end`, to be written
  auto write = [&] {
    Status status = active_file_->Write(end - bytes.size(), bytes);
    bytes.clear();
    return status;
  };
  for (const Request* request : batch) {
    if (request->blocks == nullptr) continue;
    if (active_file_ == nullptr) RETURN_IF_ERROR(OpenActive());
    end = places.empty() ? active_bytes_ : end;
    for (const PackedBlock& block : *request->blocks) {
      const size_t before = bytes.size();
      bytes += EncodePackBlock(block.meta, active_name_.salt, end);
      bytes += block.stored;
      places.push_back({.pack_number = active_name_.number,
                        .offset = end,
                        .total_bytes = bytes.size() - before,
                        .identity = block.meta.identity});
      end += places.back().total_bytes;
      if (bytes.size() >= kWriteBytes) RETURN_IF_ERROR(write());
    }
  }
  if (places.empty()) return {};
  RETURN_IF_ERROR(write());
  SLIPSTREAM_FAILPOINT("datanode.pack.before_sync");
  RETURN_IF_ERROR(active_file_->Sync());
  SLIPSTREAM_FAILPOINT("datanode.pack.after_sync");
  active_bytes_ = end;
  if (active_bytes_ >= options_.pack_bytes_max) {
    {
      MutexLock lock(mutex_);
      packs_[active_name_.number].bytes = active_bytes_;
    }
    active_file_.reset();
  }
  return {};
}

Status PackStore::OpenActive() {
  const PackName name{.number = next_number_, .salt = MakeSalt(options_.salt_seed, next_number_)};
  ++next_number_;
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(PathOf(name), OpenMode::kCreate));
  RETURN_IF_ERROR(fs_.SyncDirectory(directory_));
  active_file_ = std::move(file);
  active_name_ = name;
  active_bytes_ = 0;
  MutexLock lock(mutex_);
  packs_[name.number] = Pack{.name = name};
  return {};
}

void PackStore::SealActive() {
  if (active_file_ == nullptr) return;
  // Best effort: what stays behind the end is cut off, or found whole and unknown, at the next
  // start.
  (void)active_file_->Truncate(active_bytes_);
  active_file_.reset();
}

Status PackStore::WriteDeletion(BlockId block_id) {
  Pack pack;
  {
    MutexLock lock(mutex_);
    auto found = index_.find(block_id);
    if (found == index_.end()) return NotFound(fmt::format("block id={} is in no pack", block_id));
    pack = packs_.at(found->second.pack_number);
  }
  const bool is_active = active_file_ != nullptr && active_name_.number == pack.name.number;
  const uint64_t offset = is_active ? active_bytes_ : pack.bytes;
  const std::string mark = EncodePackDeletion(block_id, pack.name.salt, offset);
  if (is_active) {
    RETURN_IF_ERROR(active_file_->Write(offset, mark));
    active_bytes_ += mark.size();
  } else {
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(PathOf(pack.name), OpenMode::kUpdate));
    RETURN_IF_ERROR(file->Write(offset, mark));
  }
  MutexLock lock(mutex_);
  packs_[pack.name.number].bytes = offset + mark.size();
  Unindex(block_id);
  return {};
}

// ---- Background ----

Status PackStore::Quarantine(BlockId block_id, const std::string& path) {
  ASSIGN_OR_RETURN(const Place place, Find(block_id));
  ASSIGN_OR_RETURN(const PackName name, NameOf(place.pack_number));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, fs_.Open(PathOf(name), OpenMode::kRead));
  std::string bytes(place.total_bytes, '\0');
  if (Result<size_t> size = file->Read(place.offset, bytes.data(), bytes.size()); size.ok()) {
    bytes.resize(*size);
    RETURN_IF_ERROR(WriteSmallFile(fs_, path, bytes));
  }
  return Remove(block_id);
}

Result<PackedBlock> PackStore::ReadPacked(const Place& place) const {
  ASSIGN_OR_RETURN(OpenRecord open, ReadRecord(place));
  PackedBlock block{.meta = std::move(open.record.meta),
                    .stored = std::string(place.identity.stored_bytes, '\0')};
  ASSIGN_OR_RETURN(
      size_t size,
      open.file->Read(
          place.offset + open.record.record_bytes, block.stored.data(), block.stored.size()));
  if (size != block.stored.size() || Crc32c(block.stored) != place.identity.crc32c) {
    return DataLoss(fmt::format("block id={}: crc32c does not match", place.identity.block_id));
  }
  return block;
}

Result<bool> PackStore::RewriteOne() {
  Pack victim;
  std::vector<Place> places;
  {
    MutexLock lock(mutex_);
    // The last pack may be the one in use.
    auto end = packs_.empty() ? packs_.end() : std::prev(packs_.end());
    auto found = std::find_if(packs_.begin(), end, [](const auto& entry) {
      const Pack& pack = entry.second;
      return !pack.is_kept && pack.live_bytes * kRewriteLiveFraction <= pack.bytes;
    });
    if (found == end) return false;
    victim = found->second;
    for (const auto& [block_id, place] : index_) {
      if (place.pack_number == victim.name.number) places.push_back(place);
    }
  }
  std::vector<PackedBlock> blocks;
  for (const Place& place : places) {
    Result<PackedBlock> block = ReadPacked(place);
    if (!block.ok()) {
      // Not tried again before the next start; the scrubber finds the block.
      MutexLock lock(mutex_);
      packs_[victim.name.number].is_kept = true;
      return block.status();
    }
    blocks.push_back(std::move(*block));
  }
  if (!blocks.empty()) {
    Request request{.blocks = &blocks, .moved_from_pack = victim.name.number};
    RETURN_IF_ERROR(Submit(request));
  }
  {
    MutexLock lock(mutex_);
    packs_.erase(victim.name.number);
  }
  RETURN_IF_ERROR(fs_.Remove(PathOf(victim.name)));
  return true;
}

}  // namespace slipstream::datanode
