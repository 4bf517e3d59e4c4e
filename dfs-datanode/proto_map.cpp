#include "dfs-datanode/proto_map.h"

namespace slipstream::datanode {

dfs::v1::Block ToProto(const block::Identity& identity) {
  dfs::v1::Block message;
  message.set_block_id(identity.block_id);
  message.set_raw_bytes(identity.raw_bytes);
  message.set_stored_bytes(identity.stored_bytes);
  message.set_crc32c(identity.crc32c);
  return message;
}

block::Identity FromProto(const dfs::v1::Block& message) {
  return {.block_id = message.block_id(),
          .raw_bytes = message.raw_bytes(),
          .stored_bytes = message.stored_bytes(),
          .crc32c = message.crc32c()};
}

dfs::v1::Frame ToProto(const block::Frame& frame) {
  dfs::v1::Frame message;
  message.set_raw_bytes(frame.raw_bytes);
  message.set_stored_bytes(frame.stored_bytes);
  message.set_crc32c(frame.crc32c);
  return message;
}

block::Frame FromProto(const dfs::v1::Frame& message) {
  return {.raw_bytes = message.raw_bytes(),
          .stored_bytes = message.stored_bytes(),
          .crc32c = message.crc32c()};
}

dfs::v1::WriteBlocksRequest::BlockHeader ToProto(const block::BlockMeta& meta) {
  dfs::v1::WriteBlocksRequest::BlockHeader message;
  *message.mutable_block() = ToProto(meta.identity);
  for (const block::Frame& frame : meta.frames)
    *message.add_frames() = ToProto(frame);
  return message;
}

block::BlockMeta FromProto(const dfs::v1::WriteBlocksRequest::BlockHeader& message) {
  block::BlockMeta meta{.identity = FromProto(message.block())};
  for (const dfs::v1::Frame& frame : message.frames()) {
    if (meta.frames.size() > block::kFramesPerBlockMax) break;
    meta.frames.push_back(FromProto(frame));
  }
  return meta;
}

}  // namespace slipstream::datanode
