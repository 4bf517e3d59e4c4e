#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "proto/dfs_datanode.grpc.pb.h"
#include "proto/dfs_master.grpc.pb.h"

#include "common/rpc/server.h"
#include "common/status/status.h"
#include "common/sync/mutex.h"
#include "dfs-client/dfs_client.h"

namespace slipstream::dfs {

// A block as the fake datanodes hold it.
struct StoredBlock {
  v1::Block block;
  std::vector<v1::Frame> frames;
  std::string data;
};

class FakeCluster;

// FakeDatanode: a datanode in memory that fails as a test tells it. It does not really pass blocks
// on: it puts them into the other nodes of the chain by hand.
class FakeDatanode final : public v1::DfsDatanode::Service {
 public:
  FakeDatanode(FakeCluster& cluster, std::string node_id);

  // Given to every write, or read, before anything else happens; OK lets it go on.
  void OnWrite(std::function<Status()> hook);
  void OnRead(std::function<Status()> hook);
  // From now on reads wait until they are cancelled.
  void HangReads();

  void Put(const StoredBlock& block);
  void Drop(uint64_t block_id);
  bool Has(uint64_t block_id);
  // Changes one stored byte; the frames' checksums stay as they were.
  void FlipByte(uint64_t block_id, size_t offset);
  // Puts the frames of `other` in place of the block's, with checksums that hold.
  void Swap(uint64_t block_id, uint64_t other);
  size_t block_count();

  // As when the process is killed: connections break, nothing answers.
  void Kill();

  const std::string& node_id() const { return node_id_; }
  const std::string& address() const { return address_; }

  grpc::Status WriteBlocks(grpc::ServerContext* context,
                           grpc::ServerReader<v1::WriteBlocksRequest>* reader,
                           v1::WriteBlocksResponse* response) override;
  grpc::Status ReadBlock(grpc::ServerContext* context,
                         const v1::ReadBlockRequest* request,
                         grpc::ServerWriter<v1::ReadBlockResponse>* writer) override;
  grpc::Status ReadRange(grpc::ServerContext* context,
                         const v1::ReadBlockRequest* request,
                         v1::ReadRangeResponse* response) override;
  grpc::Status ChecksumBlock(grpc::ServerContext* context,
                             const v1::ChecksumBlockRequest* request,
                             grpc::ServerWriter<v1::ChecksumBlockResponse>* writer) override;

 private:
  // The frames of a range, or what a test wants instead.
  Result<std::vector<v1::ReadBlockResponse>> FramesOf(const grpc::ServerContext& context,
                                                      const v1::ReadBlockRequest& request);

  FakeCluster& cluster_;
  const std::string node_id_;
  std::string address_;
  Mutex mutex_;
  std::map<uint64_t, StoredBlock> blocks_ GUARDED_BY(mutex_);
  std::function<Status()> on_write_ GUARDED_BY(mutex_);
  std::function<Status()> on_read_ GUARDED_BY(mutex_);
  bool is_hanging_ GUARDED_BY(mutex_) = false;
  std::unique_ptr<rpc::Server> server_;  // last: it uses all of the above
};

// FakeMaster: as much of a master as a reader and a writer of whole files need.
class FakeMaster final : public v1::DfsMaster::Service {
 public:
  explicit FakeMaster(FakeCluster& cluster) : cluster_(cluster) {}

  grpc::Status Stat(grpc::ServerContext* context,
                    const v1::StatRequest* request,
                    v1::StatResponse* response) override;
  grpc::Status LocateBlocks(grpc::ServerContext* context,
                            const v1::LocateBlocksRequest* request,
                            v1::LocateBlocksResponse* response) override;
  grpc::Status ReportBadReplica(grpc::ServerContext* context,
                                const v1::ReportBadReplicaRequest* request,
                                v1::ReportBadReplicaResponse* response) override;
  grpc::Status AllocateBlocks(grpc::ServerContext* context,
                              const v1::AllocateBlocksRequest* request,
                              v1::AllocateBlocksResponse* response) override;
  grpc::Status AcquireAppender(grpc::ServerContext* context,
                               const v1::AcquireAppenderRequest* request,
                               v1::AcquireAppenderResponse* response) override;
  grpc::Status Prepare(grpc::ServerContext* context,
                       const v1::PrepareRequest* request,
                       v1::PrepareResponse* response) override;
  grpc::Status AbortAppender(grpc::ServerContext* context,
                             const v1::AbortAppenderRequest* request,
                             v1::AbortAppenderResponse* response) override;

  struct File {
    uint64_t inode_id = 0;
    std::string writer;
    std::vector<v1::Block> blocks;
    uint64_t truncation_count = 0;
  };

  // Given to every AllocateBlocks before anything else happens; OK lets it go on.
  void OnAllocate(std::function<Status()> hook);
  // LocateBlocks answers with at most this many blocks.
  void SetLocatePage(size_t blocks);
  // Locations that LocateBlocks gives until it is told to say the truth.
  void Pin(uint64_t block_id, std::vector<std::string> node_ids);
  void Unpin(uint64_t block_id);

  // One block takes the place of `count` of the file's, as after a merge.
  void Replace(const std::string& path, size_t first, size_t count, const v1::Block& block);
  // As if the file had been cut and written to its old length again.
  void Cut(const std::string& path);

  // Given to every Prepare before anything else happens; OK lets it go on.
  void OnPrepare(std::function<Status()> hook);
  // Given to every Prepare after it was carried out: an error is an answer that gets lost.
  void OnPrepared(std::function<Status()> hook);

  // In whose name a Prepare came, those that were refused included.
  struct Attempt {
    std::string owner;
    uint64_t incarnation = 0;
    uint64_t epoch = 0;
  };

  std::optional<File> Find(const std::string& path);
  std::vector<v1::AllocateBlocksRequest> allocations();
  std::vector<Attempt> attempts();
  std::vector<v1::ReportBadReplicaRequest> bad_replicas();

 private:
  File* FindLocked(const v1::LocateBlocksRequest& request) REQUIRES(mutex_);
  // A share of an epoch, carried out at once; the file's inode id.
  Result<uint64_t> AppendLocked(const std::string& owner, const v1::FileAppend& append)
      REQUIRES(mutex_);

  FakeCluster& cluster_;
  Mutex mutex_;
  std::map<std::string, File> files_ GUARDED_BY(mutex_);
  std::map<uint64_t, std::vector<std::string>> pinned_ GUARDED_BY(mutex_);
  std::vector<v1::AllocateBlocksRequest> allocations_ GUARDED_BY(mutex_);
  std::vector<v1::ReportBadReplicaRequest> bad_replicas_ GUARDED_BY(mutex_);
  std::function<Status()> on_allocate_ GUARDED_BY(mutex_);
  std::function<Status()> on_prepare_ GUARDED_BY(mutex_);
  std::function<Status()> on_prepared_ GUARDED_BY(mutex_);
  std::vector<Attempt> attempts_ GUARDED_BY(mutex_);
  std::map<std::string, v1::EpochPair> committed_ GUARDED_BY(mutex_);  // by owner
  uint64_t last_incarnation_ GUARDED_BY(mutex_) = 0;
  size_t locate_page_ GUARDED_BY(mutex_) = 1000;
  uint64_t next_id_ GUARDED_BY(mutex_) = 1;
};

// FakeCluster: a FakeMaster and three FakeDatanodes behind real gRPC servers on free ports.
class FakeCluster final {
 public:
  FakeCluster();
  ~FakeCluster();

  FakeMaster& master() { return *master_; }
  FakeDatanode& node(size_t index) { return *nodes_[index]; }
  FakeDatanode* FindNode(const std::string& node_id);
  const std::vector<std::unique_ptr<FakeDatanode>>& nodes() const { return nodes_; }
  void KillMaster();

  // From now on the master gives tokens with blocks that begin with `seal`, and the nodes take no
  // call without.
  void SetTokens(std::string seal);
  // What stands for tokens here; empty where there are none.
  std::string ReadToken(uint64_t block_id);
  std::string WriteToken(uint64_t first_block_id, uint32_t count);

  // A client of this cluster, else as `options` says; its notices are kept.
  std::unique_ptr<DfsClient> Connect(ClientOptions options = {});
  std::vector<std::string> notices();

 private:
  std::vector<std::unique_ptr<FakeDatanode>> nodes_;
  std::unique_ptr<FakeMaster> master_;
  std::unique_ptr<rpc::Server> master_server_;
  Mutex mutex_;
  std::vector<std::string> notices_ GUARDED_BY(mutex_);
  std::string token_seal_ GUARDED_BY(mutex_);
};

}  // namespace slipstream::dfs
