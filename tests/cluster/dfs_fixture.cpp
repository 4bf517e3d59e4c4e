#include "tests/cluster/dfs_fixture.h"

#include <filesystem>
#include <fstream>
#include <random>

#include <fmt/format.h>

namespace slipstream::dfs {

void DfsTest::StartCluster(const Options& options) {
  ASSERT_OK_AND_ASSIGN(cluster_,
                       test_support::DfsCluster::Start({.dir = dir_.path(),
                                                        .datanodes = options.datanodes,
                                                        .master_flags = options.master_flags,
                                                        .datanode_flags = options.datanode_flags,
                                                        .disks = options.disks,
                                                        .network = options.network}));
  ASSERT_OK(cluster_->WaitUntilWritable());
  // All of them, so that a test may kill any.
  client_ = Connect();
  ASSERT_TRUE(test_support::Eventually([&] {
    auto state = client_->GetClusterState();
    return state.ok() && state->nodes.size() == static_cast<size_t>(options.datanodes);
  }));
}

std::unique_ptr<DfsClient> DfsTest::Connect() const {
  return DfsClient::Connect({.master = cluster_->master_address()});
}

Status DfsTest::Store(const std::string& path, const std::string& content) {
  return Store(*client_, path, content);
}

Status DfsTest::Store(DfsClient& client, const std::string& path, const std::string& content) {
  auto writer = client.CreateFile(path);
  RETURN_IF_ERROR(writer->Write(content));
  return writer->Close();
}

Result<std::string> DfsTest::LoadRest(FileReader& reader) {
  std::string all;
  while (true) {
    ASSIGN_OR_RETURN(std::string chunk, reader.Next());
    if (chunk.empty()) return all;
    all += chunk;
  }
}

Result<std::string> DfsTest::Load(const std::string& path) {
  ASSIGN_OR_RETURN(std::unique_ptr<FileReader> reader, client_->OpenFile(path));
  return LoadRest(*reader);
}

Status DfsTest::CheckFullyReplicated() {
  ASSIGN_OR_RETURN(ClusterState state, client_->GetClusterState());
  uint64_t replicas = 0;
  for (const NodeReport& node : state.nodes) {
    if (node.state == NodeState::kLive) replicas += node.replica_count;
  }
  if (state.under_replicated_blocks > 0 || state.missing_blocks > 0 || state.corrupt_replicas > 0 ||
      replicas < state.block_count * state.default_replication) {
    return Unavailable(
        fmt::format("blocks={} replicas={} under_replicated={} missing={} corrupt={} repairs={}",
                    state.block_count,
                    replicas,
                    state.under_replicated_blocks,
                    state.missing_blocks,
                    state.corrupt_replicas,
                    state.pending_repairs));
  }
  return {};
}

Result<int> DfsTest::FirstReplicaOf(const std::string& path) {
  ASSIGN_OR_RETURN(FileBlocks blocks, client_->LocateBlocks(path, 0));
  for (int i = 0; i < cluster_->datanode_count(); ++i) {
    if (cluster_->datanode_address(i) == blocks.blocks.at(0).nodes.at(0).address) return i;
  }
  return NotFound("no such datanode");
}

Result<DfsTest::Damage> DfsTest::FlipByteOnDisk(int datanode) {
  namespace fs = std::filesystem;
  Damage damage;
  uint64_t largest_bytes = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(cluster_->datanode_data_dir(datanode))) {
    if (entry.is_regular_file() && entry.path().extension() == ".zst" &&
        entry.file_size() > largest_bytes) {
      damage.file = entry.path();
      largest_bytes = entry.file_size();
    }
  }
  if (largest_bytes == 0) return NotFound("no block file");
  damage.offset = largest_bytes / 2;
  std::fstream file(damage.file, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(damage.offset));
  damage.original = static_cast<char>(file.get());
  file.seekp(static_cast<std::streamoff>(damage.offset));
  file.put(static_cast<char>(damage.original ^ 1));
  file.flush();
  if (!file.good()) return Internal("cannot change " + damage.file.string());
  return damage;
}

bool DfsTest::IsHealed(const Damage& damage) {
  std::ifstream file(damage.file, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(damage.offset));
  const int byte = file.get();
  return file.good() && static_cast<char>(byte) == damage.original;
}

std::string RandomBytes(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; i += sizeof(uint64_t)) {
    const uint64_t word = random();
    for (size_t j = 0; j < sizeof(word) && i + j < count; ++j)
      bytes[i + j] = static_cast<char>(word >> (8 * j));
  }
  return bytes;
}

std::string JsonLines(size_t bytes_min) {
  std::string out;
  for (int id = 0; out.size() < bytes_min; ++id) {
    out += fmt::format("{{\"id\":{},\"carrier\":\"{}\",\"dep_delay\":{},\"origin\":\"JFK\"}}\n",
                       id,
                       id % 3 == 0 ? "UA" : "AA",
                       id * 7919 % 311 - 10);
  }
  return out;
}

block::EncodedBlock Encode(std::string_view raw) {
  block::FrameCompressor compressor(3);
  block::BlockEncoder encoder(compressor);
  EXPECT_TRUE(encoder.Append(raw).ok());
  return encoder.Finish();
}

}  // namespace slipstream::dfs
