#include "tests/unit/runtime/memory_append_store.h"

namespace slipstream::dfs {

Status MemoryAppendStore::TakeFailure() {
  if (failures_ == 0) return {};
  --failures_;
  return Unavailable("told to fail");
}

Result<AppenderState> MemoryAppendStore::AcquireAppender(const std::string& owner) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(TakeFailure());
  Appender& appender = appenders_[owner];
  appender.incarnation = next_incarnation_++;
  AppenderState state{.incarnation = appender.incarnation, .committed = appender.committed};
  for (const auto& [pair, candidate] : appender.prepared) {
    state.prepared.push_back({.epoch = pair.first, .incarnation = pair.second});
  }
  return state;
}

Result<std::vector<DurableBlock>> MemoryAppendStore::WriteBlocks(
    const std::string& /*owner*/, std::span<const block::EncodedBlock* const> blocks) {
  MutexLock lock(mutex_);
  ++writes_;
  RETURN_IF_ERROR(TakeFailure());
  std::vector<DurableBlock> durable;
  for (const block::EncodedBlock* encoded : blocks) {
    std::string raw;
    size_t offset = 0;
    for (const block::Frame& frame : encoded->frames) {
      RETURN_IF_ERROR(block::DecodeFrame(
          frame, std::string_view(encoded->data).substr(offset, frame.stored_bytes), raw));
      offset += frame.stored_bytes;
    }
    const uint64_t id = next_id_++;
    blocks_[id] = std::move(raw);
    durable.push_back({.block = {.block_id = id,
                                 .raw_bytes = encoded->raw_bytes,
                                 .stored_bytes = encoded->stored_bytes(),
                                 .crc32c = encoded->crc32c},
                       .holder_node_ids = {"a", "b"}});
  }
  return durable;
}

Result<uint64_t> MemoryAppendStore::Bind(const std::string& owner, const FileAppend& append) {
  if (const uint64_t* inode_id = std::get_if<uint64_t>(&append.target)) {
    auto found = files_.find(*inode_id);
    if (found == files_.end()) return NotFound("inode");
    File& file = found->second;
    if (file.is_deleted) return *inode_id;
    if (!file.writer.empty() && file.writer != owner) return FailedPrecondition("owned");
    if (file.content.size() != append.expected_length_bytes) return Aborted("length differs");
    file.writer = owner;
    return *inode_id;
  }
  const std::string& path = std::get<std::string>(append.target);
  for (const auto& [id, file] : files_) {
    if (file.path != path || file.is_deleted) continue;
    if (file.is_visible && append.replace) {
      if (!file.writer.empty() && file.writer != owner) return FailedPrecondition("owned");
      continue;
    }
    if (file.is_visible) return AlreadyExists(path);
    if (file.writer != owner) return FailedPrecondition("name is reserved: " + path);
  }
  const uint64_t id = next_id_++;
  files_[id] = {.path = path, .writer = owner};
  return id;
}

Result<PreparedEpoch> MemoryAppendStore::PrepareOne(const AppenderEpoch& epoch) {
  Appender& appender = appenders_[epoch.owner];
  if (epoch.incarnation != appender.incarnation) return Aborted("stale incarnation");
  std::vector<uint64_t> dropped;
  if (epoch.committed != EpochPair{}) {
    RETURN_IF_ERROR(CommitOne(epoch.owner, epoch.committed, dropped));
  }
  const std::pair pair(epoch.epoch, epoch.incarnation);
  if (appender.prepared.contains(pair)) return Internal("a pair must not have two contents");
  PreparedEpoch prepared;
  Candidate candidate;
  for (uint32_t i = 0; i < epoch.files.size(); ++i) {
    const FileAppend& append = epoch.files[i];
    ASSIGN_OR_RETURN(uint64_t inode_id, Bind(epoch.owner, append));
    prepared.inode_ids.push_back(inode_id);
    if (files_[inode_id].is_deleted) {
      prepared.lost_files.push_back(i);
      continue;
    }
    Share& share = candidate.emplace_back();
    share.inode_id = inode_id;
    share.close = append.close;
    share.replace = append.replace;
    for (const DurableBlock& durable : append.blocks) {
      auto found = blocks_.find(durable.block.block_id);
      if (found == blocks_.end()) return InvalidArgument("unknown block");
      share.bytes += found->second;
    }
  }
  appender.prepared[pair] = std::move(candidate);
  return prepared;
}

Result<std::vector<PreparedEpoch>> MemoryAppendStore::Prepare(std::span<const AppenderEpoch> epochs,
                                                              bool commit) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(TakeFailure());
  const auto files = files_;
  const auto appenders = appenders_;
  std::vector<PreparedEpoch> answers;
  for (const AppenderEpoch& epoch : epochs) {
    Result<PreparedEpoch> prepared = PrepareOne(epoch);
    if (!prepared.ok()) {  // all or nothing
      files_ = files;
      appenders_ = appenders;
      return prepared.status();
    }
    answers.push_back(std::move(*prepared));
  }
  std::vector<uint64_t> dropped;
  for (const AppenderEpoch& epoch : epochs) {
    if (!commit) break;
    RETURN_IF_ERROR(
        CommitOne(epoch.owner, {.epoch = epoch.epoch, .incarnation = epoch.incarnation}, dropped));
  }
  return answers;
}

Status MemoryAppendStore::CommitOne(const std::string& owner,
                                    EpochPair pair,
                                    std::vector<uint64_t>& dropped) {
  Appender& appender = appenders_[owner];
  if (pair == appender.committed || pair.epoch < appender.committed.epoch) return {};
  auto found = appender.prepared.find({pair.epoch, pair.incarnation});
  if (found == appender.prepared.end()) return FailedPrecondition("never prepared");
  for (const Share& share : found->second) {
    File& file = files_[share.inode_id];
    if (file.is_deleted) {
      dropped.push_back(share.inode_id);
      continue;
    }
    for (auto& [id, other] : files_) {
      if (share.replace && id != share.inode_id && other.path == file.path) other.is_deleted = true;
    }
    file.content += share.bytes;
    file.is_visible = true;
    if (share.close) file.writer.clear();
  }
  appender.committed = pair;
  std::erase_if(appender.prepared,
                [&](const auto& candidate) { return candidate.first.first <= pair.epoch; });
  return {};
}

Result<std::vector<uint64_t>> MemoryAppendStore::Commit(std::span<const AppenderCommit> commits) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(TakeFailure());
  std::vector<uint64_t> dropped;
  for (const AppenderCommit& commit : commits) {
    RETURN_IF_ERROR(CommitOne(commit.owner, commit.pair, dropped));
  }
  return dropped;
}

Result<uint32_t> MemoryAppendStore::AbortAppender(const std::string& owner) {
  MutexLock lock(mutex_);
  RETURN_IF_ERROR(TakeFailure());
  auto found = appenders_.find(owner);
  if (found == appenders_.end()) return NotFound("no such appender");
  const auto discarded = static_cast<uint32_t>(found->second.prepared.size());
  found->second.prepared.clear();
  found->second.incarnation = next_incarnation_++;
  for (auto& [id, file] : files_) {
    if (file.writer == owner) file.writer.clear();
  }
  return discarded;
}

int MemoryAppendStore::write_count() const {
  MutexLock lock(mutex_);
  return writes_;
}

std::map<std::string, std::string> MemoryAppendStore::Files() const {
  MutexLock lock(mutex_);
  std::map<std::string, std::string> contents;
  for (const auto& [id, file] : files_) {
    if (file.is_visible && !file.is_deleted) contents[file.path] = file.content;
  }
  return contents;
}

bool MemoryAppendStore::IsOpen(const std::string& path) const {
  MutexLock lock(mutex_);
  for (const auto& [id, file] : files_) {
    if (file.path == path && file.is_visible && !file.writer.empty()) return true;
  }
  return false;
}

void MemoryAppendStore::Delete(const std::string& path) {
  MutexLock lock(mutex_);
  for (auto& [id, file] : files_) {
    if (file.path == path) file.is_deleted = true;
  }
}

void MemoryAppendStore::FailNext(int count) {
  MutexLock lock(mutex_);
  failures_ = count;
}

size_t MemoryAppendStore::prepared_count() const {
  MutexLock lock(mutex_);
  size_t count = 0;
  for (const auto& [owner, appender] : appenders_)
    count += appender.prepared.size();
  return count;
}

}  // namespace slipstream::dfs
