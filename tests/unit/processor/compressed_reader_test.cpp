#include "processor/batch/compressed_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace slipstream::processor {
namespace {

class TextReader final : public sql::FileReader {
 public:
  TextReader(std::string text, size_t chunk) : text_(std::move(text)), chunk_(chunk) {}
  Result<size_t> Read(std::span<char> buffer) override {
    const size_t count = std::min({buffer.size(), chunk_, text_.size() - used_});
    std::copy_n(text_.begin() + static_cast<ptrdiff_t>(used_), count, buffer.begin());
    used_ += count;
    return count;
  }

 private:
  const std::string text_;
  const size_t chunk_;
  size_t used_ = 0;
};

std::string Gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(text.size() + 1'000, '\0');
  std::string input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

// All of it, in pieces of `piece` bytes out of pieces of `chunk`.
Result<std::string> ReadAll(const std::string& name,
                            const std::string& packed,
                            size_t chunk,
                            size_t piece) {
  ASSIGN_OR_RETURN(const std::unique_ptr<sql::FileReader> reader,
                   Unpack(name, std::make_unique<TextReader>(packed, chunk)));
  std::string all;
  std::string buffer(piece, '\0');
  for (;;) {
    ASSIGN_OR_RETURN(const size_t count, reader->Read(buffer));
    if (count == 0) return all;
    all.append(buffer, 0, count);
  }
}

std::string Text() {
  std::string text;
  for (int i = 0; i < 50'000; ++i)
    text += std::to_string(i * 7919 % 10'007) + "\n";
  return text;
}

TEST(CompressedReaderTest, PartsOneAfterTheOtherAreOneFile) {
  const std::string text = Text();
  const std::string gzip = Gzip(text) + Gzip("") + Gzip("end");
  const std::string zstd = Zstd(text) + Zstd("") + Zstd("end");
  for (const size_t chunk : {size_t{1}, size_t{1'000}, size_t{1} << 20}) {
    for (const size_t piece : {size_t{3}, size_t{64} << 10}) {
      EXPECT_EQ(ReadAll("a.gz", gzip, chunk, piece).value(), text + "end") << chunk;
      EXPECT_EQ(ReadAll("a.jsonl.zst", zstd, chunk, piece).value(), text + "end") << chunk;
    }
  }
  EXPECT_EQ(ReadAll("a.jsonl", text, 100, 1'000).value(), text);
  EXPECT_EQ(ReadAll("empty.gz", "", 1, 1).value(), "");
}

TEST(CompressedReaderTest, WhatIsCutOrDamagedIsDataLoss) {
  const std::string text = Text();
  for (const std::string& name : {std::string("a.gz"), std::string("a.zst")}) {
    const std::string packed = name == "a.gz" ? Gzip(text) : Zstd(text);
    for (const size_t size : {size_t{5}, packed.size() / 2, packed.size() - 1}) {
      EXPECT_EQ(ReadAll(name, packed.substr(0, size), 1'000, 1'000).status().code(),
                Code::kDataLoss)
          << name << " " << size;
    }
    EXPECT_EQ(ReadAll(name, "no such file", 1'000, 1'000).status().code(), Code::kDataLoss);
    EXPECT_EQ(ReadAll(name, packed + "more", 1'000, 1'000).status().code(), Code::kDataLoss);
  }
}

}  // namespace
}  // namespace slipstream::processor
