#include "processor/connectors/dfs_files.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/check/check.h"
#include "common/log/log.h"

namespace slipstream::runtime {
namespace {

// What a file with rows in an epoch costs besides them, here and in the messages that carry it.
constexpr uint64_t kFileOverheadBytes = 2'048;

}  // namespace

struct DfsFiles::File {
  OpenFile state;  // length_bytes: what was prepared; without the rows of the running epoch
  std::unique_ptr<block::BlockEncoder> encoder;  // only while an epoch has rows for the file
  std::vector<block::EncodedBlock> blocks;       // of the epoch, complete
  std::vector<dfs::DurableBlock> durable;        // the same, once they are
  bool is_closing = false;
  bool is_complete = false;   // it is to be closed with the next epoch, whatever its size and age
  uint64_t last_write = 0;    // of DfsFiles::write_count_; 0: not since it was restored
  int64_t written_at_ms = 0;  // when it got its last row, or was restored

  // Memory of the epoch's rows.
  uint64_t staged_bytes() const {
    uint64_t bytes = 0;
    for (const block::EncodedBlock& encoded : blocks)
      bytes += encoded.stored_bytes();
    // Whole frames are compressed at once; what is left over waits as it is.
    if (encoder != nullptr) {
      bytes += encoder->stored_bytes() + encoder->raw_bytes() % block::kFrameRawBytesMax;
    }
    return bytes == 0 ? 0 : bytes + kFileOverheadBytes;
  }
  uint64_t epoch_bytes() const {
    uint64_t bytes = 0;
    for (const block::EncodedBlock& encoded : blocks)
      bytes += encoded.raw_bytes;
    return bytes;
  }
};

DfsFiles::DfsFiles(Options options,
                   block::FrameCompressor& compressor,
                   FileNamer& namer,
                   std::vector<OpenFile> open_files)
    : options_(std::move(options)),
      compressor_(compressor),
      namer_(namer),
      targets_(options_.targets.begin(), options_.targets.end()),
      log_(log::Get("processor.files")) {
  for (OpenFile& state : open_files) {
    if (!targets_.contains(state.sink)) continue;
    auto file = std::make_unique<File>();
    Key key(state.sink, state.partition_path);
    file->written_at_ms = options_.now_ms;
    roll_clock_.Add(state, file->written_at_ms, targets_.at(state.sink).spec);
    file->state = std::move(state);
    files_.insert_or_assign(std::move(key), std::move(file));
  }
}

DfsFiles::~DfsFiles() = default;

void DfsFiles::StartFile(File& file, const Key& key, int64_t now_ms) {
  file.state = {.sink = static_cast<uint32_t>(key.first),
                .partition_path = key.second,
                .path = namer_.Next(targets_.at(key.first), key.second),
                .opened_at_ms = now_ms};
  file.written_at_ms = now_ms;
  roll_clock_.Add(file.state, now_ms, targets_.at(key.first).spec);
}

void DfsFiles::CutBlock(File& file) {
  if (file.encoder == nullptr || file.encoder->empty()) return;
  file.blocks.push_back(file.encoder->Finish());
}

Status DfsFiles::Append(size_t sink,
                        std::string_view partition_path,
                        std::string_view rows,
                        int64_t now_ms) {
  SLIPSTREAM_CHECK(!has_epoch_, "rows between EndEpoch and TakePrepared");
  Key key(sink, partition_path);
  std::unique_ptr<File>& file = files_[key];
  if (file == nullptr) {
    file = std::make_unique<File>();
    StartFile(*file, key, now_ms);
  }
  file->last_write = ++write_count_;
  file->written_at_ms = now_ms;
  const uint64_t before = file->staged_bytes();
  if (file->encoder == nullptr) file->encoder = std::make_unique<block::BlockEncoder>(compressor_);
  // Blocks are cut between rows where that is possible, so that each can be read alone.
  if (file->encoder->room_bytes() < rows.size()) CutBlock(*file);
  while (!rows.empty()) {
    const size_t size =
        static_cast<size_t>(std::min<uint64_t>(rows.size(), file->encoder->room_bytes()));
    RETURN_IF_ERROR(file->encoder->Append(rows.substr(0, size)));
    rows.remove_prefix(size);
    if (!rows.empty()) CutBlock(*file);
  }
  staged_bytes_ += file->staged_bytes() - before;
  return {};
}

void DfsFiles::CloseSurplus() {
  std::vector<File*> open;
  for (const auto& [key, file] : files_) {
    if (!file->is_closing) open.push_back(file.get());
  }
  if (open.size() <= kOpenFilesMax) return;
  const auto surplus = static_cast<ptrdiff_t>(open.size() - kOpenFilesMax);
  std::nth_element(open.begin(), open.begin() + surplus, open.end(), [](File* a, File* b) {
    return a->last_write < b->last_write;
  });
  std::for_each(open.begin(), open.begin() + surplus, [](File* file) { file->is_closing = true; });
}

void DfsFiles::Close(size_t sink, const std::string& partition_path) {
  const auto file = files_.find(Key(sink, partition_path));
  if (file != files_.end()) file->second->is_complete = true;
}

void DfsFiles::EndEpoch(int64_t now_ms, bool is_last) {
  epoch_files_.clear();
  for (auto entry = files_.begin(); entry != files_.end();) {
    File& file = *entry->second;
    CutBlock(file);
    file.encoder.reset();  // its scratch space, for hundreds of files, would not be little
    OpenFile after = file.state;
    after.length_bytes += file.epoch_bytes();
    file.is_closing =
        is_last || file.is_complete ||
        IsRollDue(after, file.written_at_ms, targets_.at(entry->first.first).spec, now_ms);
    if (file.blocks.empty() && file.state.inode_id == 0) {
      // Deleted by a user before anything more was written: nothing is left to go on with.
      entry = files_.erase(entry);
      continue;
    }
    ++entry;
  }
  CloseSurplus();
  roll_clock_.Clear();
  for (const auto& [key, file] : files_) {
    if (!file->blocks.empty() || file->is_closing) epoch_files_.push_back(file.get());
    // One that stays open is not full with this epoch either: only its age counts from here.
    if (!file->is_closing)
      roll_clock_.Add(file->state, file->written_at_ms, targets_.at(key.first).spec);
  }
  has_epoch_ = !epoch_files_.empty();
}

void DfsFiles::CollectBlocks(std::vector<const block::EncodedBlock*>& blocks) const {
  for (const File* file : epoch_files_) {
    if (!file->durable.empty()) continue;
    for (const block::EncodedBlock& encoded : file->blocks)
      blocks.push_back(&encoded);
  }
}

void DfsFiles::TakeDurable(std::span<dfs::DurableBlock>& durable) {
  for (File* file : epoch_files_) {
    if (!file->durable.empty()) continue;
    const std::span<dfs::DurableBlock> share = durable.first(file->blocks.size());
    file->durable.assign(std::make_move_iterator(share.begin()),
                         std::make_move_iterator(share.end()));
    durable = durable.subspan(share.size());
  }
}

Status DfsFiles::WriteEpochs(dfs::AppendStore& store, std::span<DfsFiles* const> all) {
  std::vector<const block::EncodedBlock*> blocks;
  const DfsFiles* first = nullptr;
  for (const DfsFiles* files : all) {
    files->CollectBlocks(blocks);
    if (first == nullptr && !blocks.empty()) first = files;
  }
  if (first == nullptr) return {};
  // In the name of one of them: its Prepare comes with those of the others.
  ASSIGN_OR_RETURN(std::vector<dfs::DurableBlock> durable,
                   store.WriteBlocks(first->owner(), blocks));
  if (durable.size() != blocks.size()) {
    return Internal(fmt::format("write blocks: sent={} durable={}", blocks.size(), durable.size()));
  }
  std::span<dfs::DurableBlock> rest = durable;
  for (DfsFiles* files : all)
    files->TakeDurable(rest);
  return {};
}

std::vector<dfs::FileAppend> DfsFiles::MakeEpoch() const {
  std::vector<dfs::FileAppend> appends;
  for (const File* file : epoch_files_) {
    dfs::FileAppend& append = appends.emplace_back();
    if (file->state.inode_id == 0) {
      append.target = file->state.path;
    } else {
      append.target = file->state.inode_id;
    }
    append.expected_length_bytes = file->state.length_bytes;
    append.blocks = file->durable;
    append.close = file->is_closing;
  }
  return appends;
}

Result<bool> DfsFiles::TakePrepared(const dfs::PreparedEpoch& prepared, int64_t now_ms) {
  if (prepared.inode_ids.size() != epoch_files_.size()) {
    return Internal(fmt::format(
        "prepare: sent={} answered={}", epoch_files_.size(), prepared.inode_ids.size()));
  }
  if (!prepared.lost_files.empty()) {
    for (uint32_t index : prepared.lost_files) {
      if (index >= epoch_files_.size()) return Internal("prepare: lost file out of range");
      File& file = *epoch_files_[index];
      log_->warn("file_deleted_by_user path={} action=new_file", log::Quoted(file.state.path));
      StartFile(file, Key(file.state.sink, file.state.partition_path), now_ms);
    }
    // The blocks go out anew: those of the pair that is given up now are its own, and garbage.
    for (File* file : epoch_files_)
      file->durable.clear();
    std::erase_if(epoch_files_, [](const File* file) {
      return file->blocks.empty() && file->state.inode_id == 0;
    });
    has_epoch_ = !epoch_files_.empty();
    return false;
  }
  for (size_t i = 0; i < epoch_files_.size(); ++i) {
    File& file = *epoch_files_[i];
    file.state.inode_id = prepared.inode_ids[i];
    file.state.length_bytes += file.epoch_bytes();
    file.blocks.clear();
    file.durable.clear();
  }
  epoch_files_.clear();
  has_epoch_ = false;
  staged_bytes_ = 0;
  std::erase_if(files_, [](const auto& entry) { return entry.second->is_closing; });
  return true;
}

std::vector<OpenFile> DfsFiles::open_files() const {
  std::vector<OpenFile> open;
  for (const auto& [key, file] : files_)
    open.push_back(file->state);
  return open;
}

}  // namespace slipstream::runtime
