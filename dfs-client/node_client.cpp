#include "dfs-client/node_client.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "proto/dfs_datanode.pb.h"

#include "common/block/block.h"
#include "common/check/check.h"
#include "dfs-client/wire.h"

namespace slipstream::dfs {

using std::chrono::milliseconds;

namespace {

// Short: there are other nodes to turn to.
constexpr milliseconds kReconnectTimeout{200};

constexpr size_t kPieceBytes = size_t{1} << 20;
// Blocks up to this size travel whole, together with others, up to so many bytes of them a message.
constexpr size_t kWholeBlockBytesMax = size_t{64} << 10;
constexpr size_t kWholeBlocksBytesMin = size_t{256} << 10;
// Ranges up to this length are read in one message, without a stream.
constexpr uint64_t kRangeBytesMax = uint64_t{64} << 10;

constexpr std::string_view kWriteBlocks = "/slipstream.dfs.v1.DfsDatanode/WriteBlocks";
constexpr std::string_view kReadBlock = "/slipstream.dfs.v1.DfsDatanode/ReadBlock";
constexpr std::string_view kReadRange = "/slipstream.dfs.v1.DfsDatanode/ReadRange";
constexpr std::string_view kChecksumBlock = "/slipstream.dfs.v1.DfsDatanode/ChecksumBlock";

void FillBlockHeader(const NodeClient::OutgoingBlock& outgoing,
                     v1::WriteBlocksRequest::BlockHeader* header) {
  wire::FromBlock(outgoing.block, header->mutable_block());
  for (const block::Frame& frame : outgoing.encoded->frames) {
    v1::Frame* out = header->add_frames();
    out->set_raw_bytes(frame.raw_bytes);
    out->set_stored_bytes(frame.stored_bytes);
    out->set_crc32c(frame.crc32c);
  }
}

// Sends the messages of one WriteBlocks call, in order, the last one as the last.
class BlockSender final {
 public:
  explicit BlockSender(rpc::RequestStream& stream) : stream_(stream) {}

  // False when the stream is broken; its Finish() says why.
  bool Send(std::span<const NodeAddress> next,
            const WriteGrant& grant,
            std::span<const NodeClient::OutgoingBlock> blocks) {
    v1::WriteBlocksRequest request;
    FillHeader(next, grant, request.mutable_header());
    size_t together = CountTogether(blocks);
    bool is_sent = true;
    if (together == 0) {
      is_sent = stream_.SendAhead(request);
      request.Clear();
    }
    while (is_sent && !blocks.empty()) {
      const bool is_last = together == blocks.size() || blocks.size() == 1;
      is_sent = together > 0 ? SendWhole(request, blocks.first(together), is_last)
                             : SendInPieces(blocks.front(), is_last);
      request.Clear();
      blocks = blocks.subspan(std::max<size_t>(together, 1));
      together = CountTogether(blocks);
    }
    return is_sent;
  }

 private:
  // How many of the next blocks make one message; 0: the next is too large to travel whole.
  static size_t CountTogether(std::span<const NodeClient::OutgoingBlock> blocks) {
    size_t count = 0;
    for (uint64_t bytes = 0; count < blocks.size() && bytes < kWholeBlocksBytesMin; ++count) {
      const uint64_t stored_bytes = blocks[count].block.stored_bytes;
      if (stored_bytes > kWholeBlockBytesMax) break;
      bytes += stored_bytes;
    }
    return count;
  }

  static void FillHeader(std::span<const NodeAddress> next,
                         const WriteGrant& grant,
                         v1::WriteBlocksRequest::Header* header) {
    header->mutable_range()->set_first_block_id(grant.first_block_id);
    header->mutable_range()->set_count(grant.count);
    header->set_token(grant.token);
    for (const NodeAddress& node : next) {
      v1::NodeAddress* address = header->add_next();
      address->set_node_id(node.node_id);
      address->set_address(node.address);
    }
  }

  // The request has the stream's header, or nothing yet.
  bool SendWhole(v1::WriteBlocksRequest& request,
                 std::span<const NodeClient::OutgoingBlock> blocks,
                 bool is_last) {
    v1::WriteBlocksRequest::WholeBlocks* whole = request.mutable_whole_blocks();
    for (const NodeClient::OutgoingBlock& outgoing : blocks) {
      FillBlockHeader(outgoing, whole->add_blocks());
      whole->mutable_data()->append(outgoing.encoded->data);
    }
    whole->set_is_end(is_last);
    return is_last ? stream_.SendLast(request) : stream_.Send(request);
  }

  bool SendInPieces(const NodeClient::OutgoingBlock& outgoing, bool is_last) {
    v1::WriteBlocksRequest request;
    FillBlockHeader(outgoing, request.mutable_block());
    if (!stream_.SendAhead(request)) return false;
    const std::string& data = outgoing.encoded->data;
    for (size_t sent = 0; sent < data.size(); sent += kPieceBytes) {
      const size_t piece = std::min(kPieceBytes, data.size() - sent);
      request.set_data(data.data() + sent, piece);
      const bool is_end = is_last && sent + piece == data.size();
      if (!(is_end ? stream_.SendLast(request) : stream_.Send(request))) return false;
    }
    return true;
  }

  rpc::RequestStream& stream_;
};

// Takes in the frames of one ReadBlock answer and makes sure that they are what was asked for.
class RangeAssembler final {
 public:
  RangeAssembler(const Block& block, const NodeClient::Range& range)
      : block_(block), range_(range) {
    // The frames at both ends may hold more than the range.
    const uint64_t excess = 2 * uint64_t{block::kFrameRawBytesMax};
    raw_.reserve(std::min(block.raw_bytes, range.length + excess));
  }

  Status Add(const v1::ReadBlockResponse& response) {
    const block::Frame frame{.raw_bytes = response.frame().raw_bytes(),
                             .stored_bytes = response.frame().stored_bytes(),
                             .crc32c = response.frame().crc32c()};
    const uint64_t begin = response.raw_offset_bytes();
    if (frames_.empty()) {
      begin_ = begin;
      if (begin > range_.offset || range_.offset - begin >= frame.raw_bytes) {
        return DataLoss("the first frame does not hold the offset asked for");
      }
    } else if (begin != end() || end() >= range_.offset + range_.length) {
      return DataLoss("frames do not follow one another");
    }
    RETURN_IF_ERROR(block::DecodeFrame(frame, response.data(), raw_));
    frames_.push_back(frame);
    if (end() > block_.raw_bytes) return DataLoss("more bytes than the block has");
    return {};
  }

  // The range, once all frames have come.
  Result<std::string> Finish() {
    if (frames_.empty() || end() < range_.offset + range_.length) {
      return DataLoss("fewer bytes than asked for");
    }
    if (begin_ == 0 && end() == block_.raw_bytes) {
      const block::Identity sum = block::SumFrames(block_.block_id, frames_);
      if (sum.stored_bytes != block_.stored_bytes || sum.crc32c != block_.crc32c) {
        return DataLoss("the frames are not those that were committed");
      }
    }
    raw_.erase(0, range_.offset - begin_);
    raw_.resize(range_.length);
    return std::move(raw_);
  }

 private:
  uint64_t end() const { return begin_ + raw_.size(); }

  const Block block_;
  const NodeClient::Range range_;
  uint64_t begin_ = 0;  // of raw_, in the block
  std::string raw_;
  std::vector<block::Frame> frames_;
};

constexpr size_t kCrcBytes = 4;

uint32_t LoadBigEndian32(const char* bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < sizeof(value); ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Triggered when either of two others is.
class EitherStop final {
 public:
  EitherStop(const std::stop_token& first, const std::stop_token& second)
      : first_(first, Forward{&either_}), second_(second, Forward{&either_}) {}

  std::stop_token token() const { return either_.get_token(); }

 private:
  struct Forward {
    std::stop_source* target;
    void operator()() const { target->request_stop(); }
  };

  std::stop_source either_;
  std::stop_callback<Forward> first_;
  std::stop_callback<Forward> second_;
};

}  // namespace

NodeClient::NodeClient(rpc::Transport& transport, std::stop_token stop)
    : transport_(transport), stop_(std::move(stop)) {}

std::shared_ptr<rpc::Peer> NodeClient::PeerAt(const std::string& address) {
  std::shared_ptr<rpc::Peer> peer;
  {
    MutexLock lock(mutex_);
    std::shared_ptr<rpc::Peer>& known = peers_[address];
    if (!known) known = transport_.Connect(address);
    peer = known;
  }
  peer->AwaitReconnect(kReconnectTimeout);
  return peer;
}

Status NodeClient::WriteBlocks(std::span<const NodeAddress> chain,
                               const WriteGrant& grant,
                               std::span<const OutgoingBlock> blocks,
                               milliseconds timeout) {
  SLIPSTREAM_CHECK(!chain.empty(), "a chain without nodes");
  v1::WriteBlocksResponse response;
  const auto peer = PeerAt(chain.front().address);
  const auto stream =
      peer->OpenRequestStream(kWriteBlocks, response, {.timeout = timeout, .stop = stop_});
  const bool is_whole = BlockSender(*stream).Send(chain.subspan(1), grant, blocks);
  RETURN_IF_ERROR(stream->Finish());
  if (!is_whole) return Unavailable("the datanode answered before it had all blocks");
  for (const NodeAddress& node : chain) {
    const auto& holders = response.holder_node_ids();
    if (std::find(holders.begin(), holders.end(), node.node_id) == holders.end()) {
      return Unavailable(fmt::format("datanode {} did not acknowledge", node.node_id));
    }
  }
  return {};
}

Result<std::string> NodeClient::ReadBlock(const NodeAddress& node,
                                          const Wanted& wanted,
                                          milliseconds timeout,
                                          const std::stop_token& stop) {
  v1::ReadBlockRequest request;
  wire::FromBlock(wanted.block, request.mutable_block());
  request.set_offset_bytes(wanted.range.offset);
  request.set_length_bytes(wanted.range.length);
  request.set_token(wanted.token);

  const EitherStop either(stop, stop_);
  const auto peer = PeerAt(node.address);
  RangeAssembler assembler(wanted.block, wanted.range);
  if (wanted.range.length <= kRangeBytesMax) {
    v1::ReadRangeResponse whole;
    RETURN_IF_ERROR(
        peer->Call(kReadRange, request, whole, {.timeout = timeout, .stop = either.token()}));
    for (const v1::ReadBlockResponse& frame : whole.frames())
      RETURN_IF_ERROR(assembler.Add(frame));
    return assembler.Finish();
  }
  const auto stream =
      peer->OpenResponseStream(kReadBlock, request, {.timeout = timeout, .stop = either.token()});
  v1::ReadBlockResponse response;
  while (stream->Receive(response))
    RETURN_IF_ERROR(assembler.Add(response));
  RETURN_IF_ERROR(stream->Finish());
  return assembler.Finish();
}

Result<std::vector<uint32_t>> NodeClient::ChecksumBlock(const NodeAddress& node,
                                                        const Wanted& wanted,
                                                        const Pieces& pieces,
                                                        milliseconds timeout,
                                                        const std::stop_token& stop) {
  const Range& range = wanted.range;
  v1::ChecksumBlockRequest request;
  wire::FromBlock(wanted.block, request.mutable_block());
  request.set_offset_bytes(range.offset);
  request.set_length_bytes(range.length);
  request.set_token(wanted.token);
  request.set_first_piece_bytes(pieces.first_bytes);
  request.set_piece_bytes(pieces.bytes);
  const uint64_t behind_first =
      range.length > pieces.first_bytes ? range.length - pieces.first_bytes : 0;
  const uint64_t count = 1 + (behind_first + pieces.bytes - 1) / pieces.bytes;

  const EitherStop either(stop, stop_);
  const auto peer = PeerAt(node.address);
  const auto stream = peer->OpenResponseStream(
      kChecksumBlock, request, {.timeout = timeout, .stop = either.token()});
  std::vector<uint32_t> sums;
  v1::ChecksumBlockResponse response;
  while (stream->Receive(response)) {
    const std::string& bytes = response.crc32c();
    const bool fits =
        bytes.size() % kCrcBytes == 0 && sums.size() + bytes.size() / kCrcBytes <= count;
    if (!fits) return Internal("more checksums than were asked for");
    for (size_t at = 0; at < bytes.size(); at += kCrcBytes)
      sums.push_back(LoadBigEndian32(bytes.data() + at));
  }
  RETURN_IF_ERROR(stream->Finish());
  if (sums.size() != count) return Internal("fewer checksums than were asked for");
  return sums;
}

}  // namespace slipstream::dfs
