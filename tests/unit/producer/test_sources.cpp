#include "tests/unit/producer/test_sources.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "producer/csv/rejected_rows.h"
#include "producer/flights/csv_flights.h"
#include "producer/flights/flight_json.h"
#include "tests/support/assert_ok.h"

namespace slipstream::producer {

Result<size_t> StringSource::Read(std::span<char> out) {
  size_t count = std::min({out.size(), chunk_, bytes_.size() - used_});
  std::memcpy(out.data(), bytes_.data() + used_, count);
  used_ += count;
  return count;
}

std::string Gzip(const std::string& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

ScratchFile::ScratchFile(const std::string& name, const std::string& content) {
  std::string folder = (std::filesystem::temp_directory_path() / "producer-test-XXXXXX").string();
  EXPECT_NE(::mkdtemp(folder.data()), nullptr);
  path_ = std::filesystem::path(folder) / name;
  std::ofstream(path_, std::ios::binary) << content;
}

ScratchFile::~ScratchFile() {
  std::error_code ignored;
  std::filesystem::remove_all(path_.parent_path(), ignored);
}

std::vector<std::string> ReadJson(FlightSource& source) {
  std::vector<std::string> lines;
  Flight flight;
  while (true) {
    Result<bool> more = source.Next(flight);
    EXPECT_OK(more);
    if (!more.ok() || !*more) return lines;
    AppendJson(flight, NumberStyle::kNumbers, lines.emplace_back());
  }
}

std::vector<std::string> ReadCsvJson(const std::string& csv, const std::string& layout) {
  ScratchFile file("flights.csv", csv);
  RejectedRows rejected([](const std::string& line) { ADD_FAILURE() << line; });
  CsvFlights source({.files = {file.path()}, .layout = layout}, rejected);
  return ReadJson(source);
}

}  // namespace slipstream::producer
