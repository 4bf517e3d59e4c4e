#include "tests/unit/dfs_client/fake_cluster.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/block/encoded_block.h"
#include "common/check/check.h"
#include "common/crc32c/crc32c.h"
#include "common/rpc/status_map.h"

namespace slipstream::dfs {
namespace {

using std::chrono::milliseconds;

constexpr size_t kNodes = 3;
constexpr size_t kReplicas = 2;

std::unique_ptr<rpc::Server> Serve(grpc::Service& service) {
  auto server = rpc::Server::Start({.listen = "127.0.0.1:0"}, {&service});
  SLIPSTREAM_CHECK(server.ok(), "{}", server.status().ToString());
  return std::move(*server);
}

StoredBlock ToStored(const v1::WriteBlocksRequest::BlockHeader& header) {
  return {.block = header.block(), .frames = {header.frames().begin(), header.frames().end()}};
}

Status CallHook(const std::function<Status()>& hook) {
  return hook ? hook() : Status();
}

}  // namespace

FakeDatanode::FakeDatanode(FakeCluster& cluster, std::string node_id)
    : cluster_(cluster), node_id_(std::move(node_id)), server_(Serve(*this)) {
  address_ = server_->address();
}

void FakeDatanode::OnWrite(std::function<Status()> hook) {
  MutexLock lock(mutex_);
  on_write_ = std::move(hook);
}

void FakeDatanode::OnRead(std::function<Status()> hook) {
  MutexLock lock(mutex_);
  on_read_ = std::move(hook);
}

void FakeDatanode::HangReads() {
  MutexLock lock(mutex_);
  is_hanging_ = true;
}

void FakeDatanode::Put(const StoredBlock& block) {
  MutexLock lock(mutex_);
  blocks_[block.block.block_id()] = block;
}

void FakeDatanode::Drop(uint64_t block_id) {
  MutexLock lock(mutex_);
  blocks_.erase(block_id);
}

bool FakeDatanode::Has(uint64_t block_id) {
  MutexLock lock(mutex_);
  return blocks_.contains(block_id);
}

void FakeDatanode::FlipByte(uint64_t block_id, size_t offset) {
  MutexLock lock(mutex_);
  char& byte = blocks_.at(block_id).data.at(offset);
  byte = static_cast<char>(byte ^ 1);
}

void FakeDatanode::Swap(uint64_t block_id, uint64_t other) {
  MutexLock lock(mutex_);
  blocks_.at(block_id).frames = blocks_.at(other).frames;
  blocks_.at(block_id).data = blocks_.at(other).data;
}

size_t FakeDatanode::block_count() {
  MutexLock lock(mutex_);
  return blocks_.size();
}

void FakeDatanode::Kill() {
  server_->Shutdown(milliseconds(0));
}

grpc::Status FakeDatanode::WriteBlocks(grpc::ServerContext*,
                                       grpc::ServerReader<v1::WriteBlocksRequest>* reader,
                                       v1::WriteBlocksResponse* response) {
  std::function<Status()> hook;
  {
    MutexLock lock(mutex_);
    hook = on_write_;
  }
  const Status hooked = CallHook(hook);
  if (!hooked.ok()) return rpc::ToGrpc(hooked);

  std::vector<std::string> chain{node_id_};
  std::vector<StoredBlock> blocks;
  v1::WriteBlocksRequest request;
  while (reader->Read(&request)) {
    if (request.has_header()) {
      const auto& range = request.header().range();
      if (request.header().token() != cluster_.WriteToken(range.first_block_id(), range.count())) {
        return rpc::ToGrpc(Unavailable("another token"));
      }
      for (const v1::NodeAddress& next : request.header().next())
        chain.push_back(next.node_id());
    }
    if (request.has_block()) {
      blocks.push_back(ToStored(request.block()));
    } else if (request.has_whole_blocks()) {
      std::string_view rest = request.whole_blocks().data();
      for (const auto& header : request.whole_blocks().blocks()) {
        blocks.push_back(ToStored(header));
        blocks.back().data = rest.substr(0, header.block().stored_bytes());
        rest.remove_prefix(blocks.back().data.size());
      }
    } else if (request.has_data()) {
      blocks.back().data += request.data();
    }
  }
  for (const StoredBlock& block : blocks) {
    if (Crc32c(block.data) != block.block.crc32c()) return rpc::ToGrpc(DataLoss("damaged"));
    for (const std::string& node_id : chain)
      cluster_.FindNode(node_id)->Put(block);
  }
  for (const std::string& node_id : chain)
    response->add_holder_node_ids(node_id);
  return grpc::Status::OK;
}

grpc::Status FakeDatanode::ReadBlock(grpc::ServerContext* context,
                                     const v1::ReadBlockRequest* request,
                                     grpc::ServerWriter<v1::ReadBlockResponse>* writer) {
  const auto frames = FramesOf(*context, *request);
  if (!frames.ok()) return rpc::ToGrpc(frames.status());
  for (const v1::ReadBlockResponse& frame : *frames)
    writer->Write(frame);
  return grpc::Status::OK;
}

grpc::Status FakeDatanode::ReadRange(grpc::ServerContext* context,
                                     const v1::ReadBlockRequest* request,
                                     v1::ReadRangeResponse* response) {
  const auto frames = FramesOf(*context, *request);
  if (!frames.ok()) return rpc::ToGrpc(frames.status());
  for (const v1::ReadBlockResponse& frame : *frames)
    *response->add_frames() = frame;
  return grpc::Status::OK;
}

Result<std::vector<v1::ReadBlockResponse>> FakeDatanode::FramesOf(
    const grpc::ServerContext& context, const v1::ReadBlockRequest& request) {
  if (request.token() != cluster_.ReadToken(request.block().block_id())) {
    return Unavailable("another token");
  }
  StoredBlock block;
  std::function<Status()> hook;
  {
    MutexLock lock(mutex_);
    hook = on_read_;
    // A cancelled call wakes nobody here, so this looks for it now and then.
    CondVar never;
    while (is_hanging_ && !context.IsCancelled())
      never.WaitFor(mutex_, milliseconds(10));
    auto found = blocks_.find(request.block().block_id());
    if (found == blocks_.end()) return NotFound("no such block");
    block = found->second;
  }
  const Status hooked = CallHook(hook);
  if (!hooked.ok()) return hooked;

  const uint64_t begin = request.offset_bytes();
  const uint64_t end = begin + request.length_bytes();
  std::vector<v1::ReadBlockResponse> frames;
  uint64_t raw = 0;
  size_t stored = 0;
  for (const v1::Frame& frame : block.frames) {
    if (raw < end && raw + frame.raw_bytes() > begin) {
      v1::ReadBlockResponse response;
      response.set_raw_offset_bytes(raw);
      *response.mutable_frame() = frame;
      response.set_data(block.data.substr(stored, frame.stored_bytes()));
      frames.push_back(std::move(response));
    }
    raw += frame.raw_bytes();
    stored += frame.stored_bytes();
  }
  return frames;
}

grpc::Status FakeDatanode::ChecksumBlock(grpc::ServerContext*,
                                         const v1::ChecksumBlockRequest* request,
                                         grpc::ServerWriter<v1::ChecksumBlockResponse>* writer) {
  if (request->token() != cluster_.ReadToken(request->block().block_id())) {
    return rpc::ToGrpc(Unavailable("another token"));
  }
  std::function<Status()> hook;
  {
    MutexLock lock(mutex_);
    hook = on_read_;
  }
  const Status hooked = CallHook(hook);
  if (!hooked.ok()) return rpc::ToGrpc(hooked);
  StoredBlock block;
  {
    MutexLock lock(mutex_);
    auto found = blocks_.find(request->block().block_id());
    if (found == blocks_.end()) return rpc::ToGrpc(NotFound("no such block"));
    block = found->second;
  }
  std::string raw;
  size_t stored = 0;
  for (const v1::Frame& frame : block.frames) {
    const Status decoded = block::DecodeFrame({.raw_bytes = frame.raw_bytes(),
                                               .stored_bytes = frame.stored_bytes(),
                                               .crc32c = frame.crc32c()},
                                              block.data.substr(stored, frame.stored_bytes()),
                                              raw);
    if (!decoded.ok()) return rpc::ToGrpc(decoded);
    stored += frame.stored_bytes();
  }
  const std::string range = raw.substr(request->offset_bytes(), request->length_bytes());
  v1::ChecksumBlockResponse response;
  size_t piece = request->first_piece_bytes();
  for (size_t at = 0; at < range.size(); at += piece, piece = request->piece_bytes()) {
    const uint32_t crc32c = Crc32c(std::string_view(range).substr(at, piece));
    for (int shift = 24; shift >= 0; shift -= 8)
      response.mutable_crc32c()->push_back(static_cast<char>(crc32c >> shift));
  }
  writer->Write(response);
  return grpc::Status::OK;
}

grpc::Status FakeMaster::Stat(grpc::ServerContext*,
                              const v1::StatRequest* request,
                              v1::StatResponse* response) {
  MutexLock lock(mutex_);
  auto found = files_.find(request->path());
  if (found == files_.end()) return rpc::ToGrpc(NotFound(request->path()));
  v1::FileStatus* status = response->mutable_status();
  status->set_inode_id(found->second.inode_id);
  status->set_kind(v1::FILE_KIND_FILE);
  status->set_writer(found->second.writer);
  for (const v1::Block& block : found->second.blocks)
    status->set_length_bytes(status->length_bytes() + block.raw_bytes());
  return grpc::Status::OK;
}

FakeMaster::File* FakeMaster::FindLocked(const v1::LocateBlocksRequest& request) {
  for (auto& [path, file] : files_) {
    if (request.has_path() ? path == request.path() : file.inode_id == request.inode_id()) {
      return &file;
    }
  }
  return nullptr;
}

grpc::Status FakeMaster::LocateBlocks(grpc::ServerContext*,
                                      const v1::LocateBlocksRequest* request,
                                      v1::LocateBlocksResponse* response) {
  MutexLock lock(mutex_);
  const File* file = FindLocked(*request);
  if (file == nullptr) return rpc::ToGrpc(NotFound("no such file"));
  const uint64_t end =
      request->length_bytes() == 0 ? UINT64_MAX : request->offset_bytes() + request->length_bytes();
  uint64_t offset = 0;
  for (const v1::Block& block : file->blocks) {
    const uint64_t block_begin = offset;
    offset += block.raw_bytes();
    if (offset <= request->offset_bytes() || block_begin >= end) continue;
    if (response->blocks_size() == static_cast<int>(locate_page_)) continue;
    if (response->blocks_size() == 0) response->set_first_block_offset_bytes(block_begin);
    v1::LocatedBlock* located = response->add_blocks();
    *located->mutable_block() = block;
    located->set_token(cluster_.ReadToken(block.block_id()));
    const auto pinned = pinned_.find(block.block_id());
    for (const auto& node : cluster_.nodes()) {
      const bool is_listed =
          pinned == pinned_.end()
              ? node->Has(block.block_id())
              : std::count(pinned->second.begin(), pinned->second.end(), node->node_id()) > 0;
      if (!is_listed) continue;
      located->add_nodes()->set_node_id(node->node_id());
      located->mutable_nodes(located->nodes_size() - 1)->set_address(node->address());
    }
  }
  response->mutable_status()->set_inode_id(file->inode_id);
  response->mutable_status()->set_kind(v1::FILE_KIND_FILE);
  response->mutable_status()->set_length_bytes(offset);
  response->mutable_status()->set_truncation_count(file->truncation_count);
  return grpc::Status::OK;
}

void FakeMaster::Replace(const std::string& path,
                         size_t first,
                         size_t count,
                         const v1::Block& block) {
  MutexLock lock(mutex_);
  std::vector<v1::Block>& blocks = files_.at(path).blocks;
  const auto begin = blocks.begin() + static_cast<ptrdiff_t>(first);
  blocks.erase(begin, begin + static_cast<ptrdiff_t>(count));
  blocks.insert(blocks.begin() + static_cast<ptrdiff_t>(first), block);
}

void FakeMaster::Cut(const std::string& path) {
  MutexLock lock(mutex_);
  ++files_.at(path).truncation_count;
}

grpc::Status FakeMaster::ReportBadReplica(grpc::ServerContext*,
                                          const v1::ReportBadReplicaRequest* request,
                                          v1::ReportBadReplicaResponse*) {
  MutexLock lock(mutex_);
  bad_replicas_.push_back(*request);
  return grpc::Status::OK;
}

grpc::Status FakeMaster::AllocateBlocks(grpc::ServerContext*,
                                        const v1::AllocateBlocksRequest* request,
                                        v1::AllocateBlocksResponse* response) {
  MutexLock lock(mutex_);
  allocations_.push_back(*request);
  const Status hooked = CallHook(on_allocate_);
  if (!hooked.ok()) return rpc::ToGrpc(hooked);
  const auto& excluded = request->exclude_node_ids();
  for (const auto& node : cluster_.nodes()) {
    if (std::count(excluded.begin(), excluded.end(), node->node_id()) > 0) continue;
    if (response->nodes_size() == static_cast<int>(kReplicas)) break;
    v1::NodeAddress* address = response->add_nodes();
    address->set_node_id(node->node_id());
    address->set_address(node->address());
  }
  if (response->nodes_size() < static_cast<int>(kReplicas)) {
    return rpc::ToGrpc(Unavailable("too few datanodes"));
  }
  response->set_first_block_id(next_id_);
  response->set_token(cluster_.WriteToken(next_id_, request->count()));
  next_id_ += request->count();
  return grpc::Status::OK;
}

grpc::Status FakeMaster::AcquireAppender(grpc::ServerContext*,
                                         const v1::AcquireAppenderRequest* request,
                                         v1::AcquireAppenderResponse* response) {
  MutexLock lock(mutex_);
  response->set_incarnation(++last_incarnation_);
  *response->mutable_committed() = committed_[request->owner()];
  return grpc::Status::OK;
}

grpc::Status FakeMaster::Prepare(grpc::ServerContext*,
                                 const v1::PrepareRequest* request,
                                 v1::PrepareResponse* response) {
  MutexLock lock(mutex_);
  for (const v1::AppenderEpoch& epoch : request->appenders()) {
    attempts_.push_back(
        {.owner = epoch.owner(), .incarnation = epoch.incarnation(), .epoch = epoch.epoch()});
  }
  const Status hooked = CallHook(on_prepare_);
  if (!hooked.ok()) return rpc::ToGrpc(hooked);
  for (const v1::AppenderEpoch& epoch : request->appenders()) {
    auto* prepared = response->add_appenders();
    // Sent again: answered as it was, and not carried out again.
    v1::EpochPair& committed = committed_[epoch.owner()];
    const bool is_repeated =
        committed.epoch() == epoch.epoch() && committed.incarnation() == epoch.incarnation();
    for (const v1::FileAppend& append : epoch.files()) {
      const auto inode_id =
          is_repeated ? Result<uint64_t>(append.inode_id()) : AppendLocked(epoch.owner(), append);
      if (!inode_id.ok()) return rpc::ToGrpc(inode_id.status());
      prepared->add_inode_ids(*inode_id);
    }
    committed.set_epoch(epoch.epoch());
    committed.set_incarnation(epoch.incarnation());
  }
  return rpc::ToGrpc(CallHook(on_prepared_));
}

Result<uint64_t> FakeMaster::AppendLocked(const std::string& owner, const v1::FileAppend& append) {
  std::vector<v1::Block> blocks;
  for (const v1::PreparedBlock& block : append.blocks())
    blocks.push_back(block.block());
  if (append.inode_id() != 0) {
    for (auto& [path, file] : files_) {
      if (file.inode_id != append.inode_id()) continue;
      if (!file.writer.empty() && file.writer != owner) {
        return FailedPrecondition("is being written by " + file.writer);
      }
      file.blocks.insert(file.blocks.end(), blocks.begin(), blocks.end());
      file.writer = append.close() ? "" : owner;
      return file.inode_id;
    }
    return NotFound("no such file");
  }
  if (files_.contains(append.new_path()) && !append.replace()) {
    return AlreadyExists(append.new_path());
  }
  files_[append.new_path()] = {.inode_id = next_id_++, .writer = "", .blocks = std::move(blocks)};
  return files_[append.new_path()].inode_id;
}

grpc::Status FakeMaster::AbortAppender(grpc::ServerContext*,
                                       const v1::AbortAppenderRequest* request,
                                       v1::AbortAppenderResponse*) {
  MutexLock lock(mutex_);
  for (auto& [path, file] : files_) {
    if (file.writer == request->owner()) file.writer.clear();
  }
  return grpc::Status::OK;
}

void FakeMaster::OnPrepare(std::function<Status()> hook) {
  MutexLock lock(mutex_);
  on_prepare_ = std::move(hook);
}

std::vector<FakeMaster::Attempt> FakeMaster::attempts() {
  MutexLock lock(mutex_);
  return attempts_;
}

void FakeMaster::OnPrepared(std::function<Status()> hook) {
  MutexLock lock(mutex_);
  on_prepared_ = std::move(hook);
}

void FakeMaster::OnAllocate(std::function<Status()> hook) {
  MutexLock lock(mutex_);
  on_allocate_ = std::move(hook);
}

void FakeMaster::SetLocatePage(size_t blocks) {
  MutexLock lock(mutex_);
  locate_page_ = blocks;
}

void FakeMaster::Pin(uint64_t block_id, std::vector<std::string> node_ids) {
  MutexLock lock(mutex_);
  pinned_[block_id] = std::move(node_ids);
}

void FakeMaster::Unpin(uint64_t block_id) {
  MutexLock lock(mutex_);
  pinned_.erase(block_id);
}

std::optional<FakeMaster::File> FakeMaster::Find(const std::string& path) {
  MutexLock lock(mutex_);
  auto found = files_.find(path);
  if (found == files_.end()) return std::nullopt;
  return found->second;
}

std::vector<v1::AllocateBlocksRequest> FakeMaster::allocations() {
  MutexLock lock(mutex_);
  return allocations_;
}

std::vector<v1::ReportBadReplicaRequest> FakeMaster::bad_replicas() {
  MutexLock lock(mutex_);
  return bad_replicas_;
}

FakeCluster::FakeCluster() {
  {
    // Nodes look for one another, from threads of servers that are there before the last node is.
    MutexLock lock(mutex_);
    for (size_t i = 0; i < kNodes; ++i)
      nodes_.push_back(std::make_unique<FakeDatanode>(*this, fmt::format("node-{}", i)));
  }
  master_ = std::make_unique<FakeMaster>(*this);
  master_server_ = Serve(*master_);
}

FakeCluster::~FakeCluster() = default;

FakeDatanode* FakeCluster::FindNode(const std::string& node_id) {
  MutexLock lock(mutex_);
  for (const auto& node : nodes_) {
    if (node->node_id() == node_id) return node.get();
  }
  return nullptr;
}

void FakeCluster::SetTokens(std::string seal) {
  MutexLock lock(mutex_);
  token_seal_ = std::move(seal);
}

std::string FakeCluster::ReadToken(uint64_t block_id) {
  MutexLock lock(mutex_);
  return token_seal_.empty() ? "" : token_seal_ + " read " + std::to_string(block_id);
}

std::string FakeCluster::WriteToken(uint64_t first_block_id, uint32_t count) {
  MutexLock lock(mutex_);
  if (token_seal_.empty()) return "";
  return token_seal_ + " write " + std::to_string(first_block_id) + "+" + std::to_string(count);
}

void FakeCluster::KillMaster() {
  master_server_->Shutdown(milliseconds(0));
}

std::unique_ptr<DfsClient> FakeCluster::Connect(ClientOptions options) {
  options.master = master_server_->address();
  options.on_notice = [this](const std::string& text) {
    MutexLock lock(mutex_);
    notices_.push_back(text);
  };
  return DfsClient::Connect(std::move(options));
}

std::vector<std::string> FakeCluster::notices() {
  MutexLock lock(mutex_);
  return notices_;
}

}  // namespace slipstream::dfs
