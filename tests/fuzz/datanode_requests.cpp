#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/registry.h>

#include "proto/dfs_datanode.pb.h"

#include "common/block/encoded_block.h"
#include "common/check/check.h"
#include "common/clock/manual_clock.h"
#include "common/crc32c/crc32c.h"
#include "common/fs/memory_file_system.h"
#include "common/rpc/transport.h"
#include "dfs-datanode/metrics.h"
#include "dfs-datanode/peers.h"
#include "dfs-datanode/proto_map.h"
#include "dfs-datanode/replica_server.h"
#include "dfs-datanode/replica_store.h"
#include "tests/fuzz/block_cache.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"
#include "tests/unit/dfs_datanode/replica_fixture.h"

// Streams of blocks to a datanode, right and wrong ones, whole or in pieces, with reads, checksums,
// deletions, crashes and restarts in between, against a model: what was acknowledged is there, byte
// for byte, what was refused has left nothing, and a range is exactly that range.

namespace slipstream::fuzz {
namespace {

using datanode::TestBlock;
using dfs::v1::WriteBlocksRequest;

constexpr int kStepsMax = 40;
constexpr uint64_t kRangeBytesMax = uint64_t{1} << 20;  // of ReadRange, by its contract

// No other node can be reached.
class NoTransport final : public rpc::Transport {
 public:
  std::shared_ptr<rpc::Peer> Connect(const std::string&) override {
    return std::make_shared<NoPeer>();
  }

 private:
  class NoPeer final : public rpc::Peer {
   public:
    Status Call(std::string_view,
                const google::protobuf::MessageLite&,
                google::protobuf::MessageLite&,
                const rpc::CallOptions&) override {
      return Unavailable("nobody there");
    }
    std::unique_ptr<rpc::RequestStream> OpenRequestStream(std::string_view,
                                                          google::protobuf::MessageLite&,
                                                          const rpc::CallOptions&) override {
      return std::make_unique<NoStream>();
    }
    std::unique_ptr<rpc::ResponseStream> OpenResponseStream(std::string_view,
                                                            const google::protobuf::MessageLite&,
                                                            const rpc::CallOptions&) override {
      return std::make_unique<NoStream>();
    }
    void AwaitReconnect(std::chrono::milliseconds) override {}
  };
  class NoStream final : public rpc::RequestStream, public rpc::ResponseStream {
   public:
    bool Send(const google::protobuf::MessageLite&) override { return false; }
    void HalfClose() override {}
    bool Receive(google::protobuf::MessageLite&) override { return false; }
    Status Finish() override { return Unavailable("nobody there"); }
  };
};

struct KnownBlock {
  TestBlock block;
  std::string raw;
  bool is_stored = false;
  bool is_deleted = false;  // parked, or gone
};

class NodeProgram final {
 public:
  explicit NodeProgram(InputReader& reader) : reader_(reader) {
    for (block::BlockId id = 1; id <= 6; ++id) {
      const size_t raw_bytes = id % 2 == 0 ? 5'000 * id : 90 * id;
      known_.push_back({.block = CachedBlock(id, raw_bytes),
                        .raw = block::MakeRaw(raw_bytes, static_cast<uint32_t>(id), 80)});
    }
    Open();
  }

  void Run() {
    for (int step = 0; step < kStepsMax && !reader_.is_empty(); ++step)
      Step();
    for (const KnownBlock& known : known_)
      CheckWhole(known);
  }

 private:
  void Open() {
    datanode::ReplicaStore::Options options = datanode::StoreOptions(fs_);
    options.disks.seed = 1;
    options.disks.disk.salt_seed = 1;
    auto store = datanode::ReplicaStore::Open(options, clock_);
    SLIPSTREAM_CHECK(store.ok(), "{}", store.status().ToString());
    store_ = std::move(*store);
    server_ = std::make_unique<datanode::ReplicaServer>(
        datanode::BlockReceiver::Node{.node_id = "me",
                                      .has_master = [this] { return has_master_; },
                                      .store = *store_,
                                      .peers = peers_,
                                      .metrics = metrics_,
                                      .clock = clock_});
  }

  KnownBlock& PickBlock() { return known_[reader_.Below(known_.size())]; }

  void Step() {
    switch (reader_.Byte() % 12) {
      case 0:
      case 1:
      case 2:
        return Write();
      case 3:
      case 4:
        return Read();
      case 5:
        return Checksum();
      case 6: {
        KnownBlock& known = PickBlock();
        const Status status = store_->Delete(known.block.id());
        SLIPSTREAM_CHECK(
            status.ok() == (known.is_stored && !known.is_deleted), "{}", status.ToString());
        known.is_deleted = known.is_stored;
        return;
      }
      case 7:
        clock_.Advance(std::chrono::seconds(reader_.Take<uint16_t>()));
        has_master_ = reader_.Byte() % 4 != 0;
        (void)store_->Reap();
        (void)store_->Compact();
        return;
      case 8:
        return Restart();
      case 9:
        return WriteWhole();
      case 10:
        return ReadRange();
      default:
        return WriteAnything();
    }
  }

  // A restart makes what is parked live again; what is gone stays so.
  void Restart() {
    server_.reset();
    store_.reset();
    if (reader_.Bit()) fs_.Crash(reader_.Byte());
    Open();
    for (KnownBlock& known : known_) {
      const bool is_there = store_->Read(known.block.id()).ok();
      SLIPSTREAM_CHECK(
          is_there || !known.is_stored || known.is_deleted, "block {} was lost", known.block.id());
      // A replica that was written and never acknowledged may be there, and is whole.
      known.is_stored = is_there;
      known.is_deleted = false;
    }
  }

  WriteBlocksRequest Header() {
    WriteBlocksRequest request;
    request.mutable_header()->set_is_repair(reader_.Bit());
    for (size_t next = reader_.Byte() < 0xf0 ? 0 : reader_.Below(10); next > 0; --next)
      request.mutable_header()->add_next()->set_node_id("other");
    return request;
  }

  // A stream of some blocks; now and then with one thing wrong.
  void Write() {
    const auto receiver = NewReceiver();
    Status status = receiver->Receive(Header());
    std::vector<KnownBlock*> sent;
    for (size_t count = reader_.Below(4); status.ok() && count > 0; --count) {
      KnownBlock& known = PickBlock();
      sent.push_back(&known);
      status = Send(*receiver, known);
    }
    FinishWrite(*receiver, status, sent);
  }

  // The same in messages of whole blocks, the first with the header, and with one that travels in
  // pieces among them now and then.
  void WriteWhole() {
    const auto receiver = NewReceiver();
    WriteBlocksRequest header = Header();
    Status status;
    std::vector<KnownBlock*> sent;
    for (size_t count = reader_.Below(4); status.ok() && count > 0; --count) {
      if (reader_.Byte() >= 0xe0) {
        sent.push_back(&PickBlock());
        if (header.has_header()) status = receiver->Receive(header);
        if (status.ok()) status = Send(*receiver, *sent.back());
      } else {
        status = SendWhole(*receiver, header, sent);
      }
      header.Clear();
    }
    if (header.has_header()) status = receiver->Receive(header);
    FinishWrite(*receiver, status, sent);
  }

  std::unique_ptr<datanode::BlockReceiver> NewReceiver() {
    return server_->NewReceiver("fuzz", clock_.Now() + std::chrono::seconds(reader_.Below(3)));
  }

  // Ends the stream, or breaks it off: afterwards all of its blocks are there, or nothing new is.
  void FinishWrite(datanode::BlockReceiver& receiver,
                   const Status& received,
                   const std::vector<KnownBlock*>& sent) {
    if (!received.ok() || reader_.Byte() % 8 == 0) return CheckNothingNew(sent);
    dfs::v1::WriteBlocksResponse response;
    if (!receiver.Finish(response).ok()) return CheckNothingNew(sent);
    for (KnownBlock* known : sent) {
      known->is_stored = true;
      known->is_deleted = false;
      CheckWhole(*known);
    }
  }

  // One message of whole blocks, which are added to `sent`, beside what it has already.
  Status SendWhole(datanode::BlockReceiver& receiver,
                   WriteBlocksRequest request,
                   std::vector<KnownBlock*>& sent) {
    WriteBlocksRequest::WholeBlocks& whole = *request.mutable_whole_blocks();
    for (size_t count = reader_.Below(4); count > 0; --count) {
      const KnownBlock& known = *sent.emplace_back(&PickBlock());
      *whole.add_blocks() = datanode::ToProto(known.block.meta);
      whole.mutable_data()->append(known.block.stored);
    }
    whole.set_is_end(reader_.Byte() >= 0xc0);
    const uint8_t wrong = reader_.Byte();
    std::string& data = *whole.mutable_data();
    if (wrong == 1) data += reader_.Text();
    if (wrong == 2) data.resize(data.empty() ? 1 : reader_.Take<uint16_t>() % data.size());
    if (wrong == 3 && !data.empty()) data[reader_.Take<uint16_t>() % data.size()] ^= 1;
    if (wrong == 4 && whole.blocks_size() > 0) {
      dfs::v1::Block& block = *whole.mutable_blocks(whole.blocks_size() - 1)->mutable_block();
      block.set_stored_bytes(reader_.Number());
      block.set_raw_bytes(reader_.Number());
    }
    if (wrong == 5 && whole.blocks_size() > 1) whole.mutable_blocks()->SwapElements(0, 1);
    if (wrong == 6 && whole.blocks_size() > 0) whole.mutable_blocks(0)->clear_frames();
    if (wrong == 7) request.mutable_header()->set_is_repair(true);
    if (wrong == 8) request.set_data(data);
    return receiver.Receive(request);
  }

  Status Send(datanode::BlockReceiver& receiver, const KnownBlock& known) {
    const uint8_t wrong = reader_.Byte();
    WriteBlocksRequest request;
    *request.mutable_block() = datanode::ToProto(known.block.meta);
    if (wrong == 1) {
      auto& frame = *request.mutable_block()->mutable_frames(0);
      frame.set_raw_bytes(static_cast<uint32_t>(reader_.Number()));
      frame.set_stored_bytes(static_cast<uint32_t>(reader_.Number()));
    }
    if (wrong == 2) request.mutable_block()->mutable_block()->set_crc32c(reader_.Byte());
    RETURN_IF_ERROR(receiver.Receive(request));
    std::string data = known.block.stored;
    if (wrong == 3) data[reader_.Take<uint16_t>() % data.size()] ^= 1;
    if (wrong == 4) data.resize(reader_.Take<uint16_t>() % data.size());
    if (wrong == 5) data += reader_.Text();
    for (std::string_view rest = data; !rest.empty();) {
      const size_t piece = 1 + reader_.Take<uint16_t>();
      request.set_data(std::string(rest.substr(0, piece)));
      RETURN_IF_ERROR(receiver.Receive(request));
      rest.remove_prefix(std::min(piece, rest.size()));
    }
    return {};
  }

  // Bytes that are perhaps messages.
  void WriteAnything() {
    const auto receiver = server_->NewReceiver("fuzz", clock_.Now() + std::chrono::seconds(1));
    for (size_t count = reader_.Below(8); count > 0; --count) {
      WriteBlocksRequest request;
      if (!request.ParseFromString(std::string(reader_.Text()))) return;
      if (!receiver->Receive(request).ok()) return;
    }
    // Not finished: what is in such a stream must leave nothing.
  }

  void CheckNothingNew(const std::vector<KnownBlock*>& sent) {
    for (const KnownBlock* known : sent) {
      const auto live = store_->List().replicas;
      const bool is_live = std::any_of(live.begin(), live.end(), [&](const auto& identity) {
        return identity.block_id == known->block.id();
      });
      SLIPSTREAM_CHECK(is_live == (known->is_stored && !known->is_deleted),
                       "block {} is there: {}",
                       known->block.id(),
                       is_live);
    }
  }

  void CheckWhole(const KnownBlock& known) {
    const Result<std::string> stored = datanode::ReadAll(*store_, known.block.id());
    if (known.is_stored && !known.is_deleted) {
      SLIPSTREAM_CHECK(stored.ok(), "{}", stored.status().ToString());
    }
    SLIPSTREAM_CHECK(!stored.ok() || *stored == known.block.stored, "wrong bytes");
  }

  dfs::v1::Block Asked(const KnownBlock& known) {
    dfs::v1::Block asked = datanode::ToProto(known.block.meta.identity);
    if (reader_.Byte() == 0xff) asked.set_crc32c(asked.crc32c() + 1);
    return asked;
  }

  bool MayBeRead(const KnownBlock& known, const dfs::v1::Block& asked) const {
    return known.is_stored && asked.crc32c() == known.block.meta.identity.crc32c;
  }

  dfs::v1::ReadBlockRequest ReadRequest(const KnownBlock& known) {
    dfs::v1::ReadBlockRequest request;
    *request.mutable_block() = Asked(known);
    request.set_offset_bytes(reader_.Number());
    request.set_length_bytes(reader_.Number());
    return request;
  }

  // What the frames of an answer hold, and where in the block that begins.
  struct ReadBytes {
    std::string raw;
    uint64_t begin = 0;

    bool Add(const dfs::v1::ReadBlockResponse& response) {
      if (raw.empty()) begin = response.raw_offset_bytes();
      SLIPSTREAM_CHECK(begin + raw.size() == response.raw_offset_bytes(), "a gap");
      return block::DecodeFrame(datanode::FromProto(response.frame()), response.data(), raw).ok();
    }
  };

  void Read() {
    KnownBlock& known = PickBlock();
    const dfs::v1::ReadBlockRequest request = ReadRequest(known);
    ReadBytes read;
    const Status status = server_->Read(
        request,
        [&](const dfs::v1::ReadBlockResponse& response, bool) { return read.Add(response); });
    CheckRead(known, request, status, read);
  }

  void ReadRange() {
    KnownBlock& known = PickBlock();
    const dfs::v1::ReadBlockRequest request = ReadRequest(known);
    dfs::v1::ReadRangeResponse response;
    const Status status = server_->ReadRange(request, response);
    if (request.length_bytes() == 0 || request.length_bytes() > kRangeBytesMax) {
      SLIPSTREAM_CHECK(status.code() == Code::kInvalidArgument, "{}", status.ToString());
      return;
    }
    ReadBytes read;
    for (const dfs::v1::ReadBlockResponse& frame : response.frames())
      SLIPSTREAM_CHECK(read.Add(frame), "a frame that cannot be read");
    CheckRead(known, request, status, read);
  }

  void CheckRead(const KnownBlock& known,
                 const dfs::v1::ReadBlockRequest& request,
                 const Status& status,
                 const ReadBytes& read) {
    const uint64_t size = known.raw.size();
    const bool is_inside =
        request.offset_bytes() < size && request.length_bytes() <= size - request.offset_bytes();
    if (known.is_deleted) return;  // it may be read until it is gone
    SLIPSTREAM_CHECK(status.ok() == (is_inside && MayBeRead(known, request.block())),
                     "{} for {}",
                     status.ToString(),
                     request.ShortDebugString());
    if (!status.ok()) return NoteVerdict(known, status);
    const auto& [raw, begin] = read;
    SLIPSTREAM_CHECK(std::string_view(known.raw).substr(begin, raw.size()) == raw, "wrong bytes");
    SLIPSTREAM_CHECK(begin <= request.offset_bytes(), "begins too late");
    const uint64_t end =
        request.length_bytes() == 0 ? size : request.offset_bytes() + request.length_bytes();
    SLIPSTREAM_CHECK(begin + raw.size() >= end, "ends too early");
  }

  void Checksum() {
    KnownBlock& known = PickBlock();
    dfs::v1::ChecksumBlockRequest request;
    *request.mutable_block() = Asked(known);
    request.set_offset_bytes(reader_.Number());
    request.set_length_bytes(reader_.Number());
    request.set_first_piece_bytes(static_cast<uint32_t>(reader_.Number()));
    request.set_piece_bytes(static_cast<uint32_t>(reader_.Number()));
    std::string checksums;
    const Status status =
        server_->Checksum(request, [&](const dfs::v1::ChecksumBlockResponse& response) {
          checksums += response.crc32c();
          return true;
        });
    if (!status.ok()) return NoteVerdict(known, status);
    SLIPSTREAM_CHECK(known.is_stored, "checksums of nothing");
    const uint32_t piece = request.piece_bytes() == 0 ? 512 : request.piece_bytes();
    uint64_t bytes = request.first_piece_bytes() == 0 ? piece : request.first_piece_bytes();
    std::string wanted;
    const uint64_t end = request.offset_bytes() + request.length_bytes();
    for (uint64_t at = request.offset_bytes(); at < end; at += bytes, bytes = piece) {
      bytes = std::min(bytes, end - at);
      const uint32_t crc = Crc32c(std::string_view(known.raw).substr(at, bytes));
      for (int shift = 24; shift >= 0; shift -= 8)
        wanted += static_cast<char>(crc >> shift & 0xff);
      if (at + bytes >= end) break;
    }
    SLIPSTREAM_CHECK(wanted == checksums, "wrong checksums for {}", request.ShortDebugString());
  }

  // A claim that a replica is bad is checked, and found wrong: nothing is bad here.
  void NoteVerdict(const KnownBlock& known, const Status&) const {
    if (!known.is_stored || known.is_deleted) return;
    SLIPSTREAM_CHECK(store_->Read(known.block.id()).ok(), "a good replica was taken away");
  }

  InputReader& reader_;
  MemoryFileSystem fs_;
  ManualClock clock_;
  prometheus::Registry registry_;
  datanode::Metrics metrics_{registry_};
  NoTransport transport_;
  datanode::Peers peers_{transport_};
  bool has_master_ = true;
  std::unique_ptr<datanode::ReplicaStore> store_;
  std::unique_ptr<datanode::ReplicaServer> server_;
  std::vector<KnownBlock> known_;
};

void Run(std::string_view input) {
  InputReader reader(input);
  NodeProgram(reader).Run();
}

std::vector<std::string> Seeds() {
  using std::string_view_literals::operator""sv;
  // One stream of blocks 1 and 2, each in one piece; then a read of a range, a checksum, a restart.
  const std::string write("\0\2\0\0\2\0\0\xff\xff\1\0\xff\xff\1"sv);
  return {write,
          write + std::string("\3\1\0\5\7"sv),
          write + std::string("\5\1\0\3\x3f\0\x86\1"sv),
          write + std::string("\6\1\7\xff\xff\1\x8\1\5"sv) + write,
          std::string("\1\2\0\0\1\3\3\x10\0\xff\xff\1"sv) + write,
          std::string("\x0b\3\2\x0a\0\4\x12\2\x0a\0\3\x1a\1x"sv),
          // Blocks 1, 2 and 3 whole, in one message, the last; then a range of block 2.
          std::string("\x09\1\0\0\1\0\3\0\1\2\xff\0\1\x0a\1\0\5\7"sv)};
}

}  // namespace

const Target kDatanodeRequests{.name = "datanode_requests", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
