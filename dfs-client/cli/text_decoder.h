#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"

namespace slipstream::dfs::cli {

// TextDecoder: turns the bytes of a compressed file back into what was compressed, piece by piece.
// Several streams behind one another are one text, as their tools have it.
// Memory   a buffer of some 100 KiB, whatever the input.
// Threads  not thread-safe.
class TextDecoder {
 public:
  using Sink = std::function<void(std::string_view)>;

  virtual ~TextDecoder() = default;
  // Errors: kDataLoss.
  virtual Status Decode(std::string_view bytes, const Sink& sink) = 0;
  // To be called behind the last byte. kDataLoss: it ends in the middle.
  virtual Status Finish() = 0;

  // For a file of this name that begins with these bytes: gzip by its first two, zstd by its first
  // four, else .deflate, .bz2, .zst and .gz by the name. Null: it is text as it is.
  // Errors: kInvalidArgument, with the name of the format, for what is known and not supported
  // here: Hadoop's SequenceFile, Avro, .snappy, .lz4, .lzo.
  static Result<std::unique_ptr<TextDecoder>> For(std::string_view name, std::string_view begin);
};

}  // namespace slipstream::dfs::cli
