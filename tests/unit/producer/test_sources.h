#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "producer/csv/byte_source.h"
#include "producer/flights/flight.h"
#include "producer/flights/flight_source.h"

// Sources of bytes and flights for the producer's tests.

namespace slipstream::producer {

// The bytes of a string, at most `chunk` of them a Read().
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string bytes, size_t chunk = 1 << 20)
      : bytes_(std::move(bytes)), chunk_(chunk) {}
  Result<size_t> Read(std::span<char> out) override;

 private:
  const std::string bytes_;
  const size_t chunk_;
  size_t used_ = 0;
};

std::string Gzip(const std::string& plain);
std::string Zstd(const std::string& plain);

// A file in a folder of its own, gone with this object.
class ScratchFile final {
 public:
  ScratchFile(const std::string& name, const std::string& content);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The rest of a source as JSON objects, one for each flight, in order.
std::vector<std::string> ReadJson(FlightSource& source);

// The flights of CSV text with its layout recognised. Fails the test on any error.
std::vector<std::string> ReadCsvJson(const std::string& csv, const std::string& layout = "");

}  // namespace slipstream::producer
