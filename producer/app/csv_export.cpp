#include "producer/app/csv_export.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>

#include "producer/flights/flight_csv.h"

namespace slipstream::producer {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

Result<uint64_t> WriteRows(FlightSource& source,
                           uint64_t limit,
                           const std::stop_token& stop,
                           std::FILE* out) {
  constexpr size_t kBufferBytes = 256 << 10;
  std::string rows = FlightCsvHeader();
  Flight flight;
  uint64_t count = 0;
  while (limit == 0 || count < limit) {
    if (stop.stop_requested()) return Cancelled("interrupted while writing");
    ASSIGN_OR_RETURN(bool more, source.Next(flight));
    if (!more) break;
    AppendCsv(flight, rows);
    ++count;
    if (rows.size() < kBufferBytes) continue;
    if (std::fwrite(rows.data(), 1, rows.size(), out) != rows.size()) {
      return ErrnoStatus(errno, "write");
    }
    rows.clear();
  }
  bool is_written = std::fwrite(rows.data(), 1, rows.size(), out) == rows.size();
  if (!is_written || std::fflush(out) != 0) return ErrnoStatus(errno, "write");
  return count;
}

}  // namespace

Result<uint64_t> WriteCsv(FlightSource& source,
                          const std::filesystem::path& path,
                          uint64_t limit,
                          const std::stop_token& stop) {
  if (path == "-") return WriteRows(source, limit, stop, stdout);
  std::filesystem::path part = path;
  part += ".part";
  File file(std::fopen(part.c_str(), "wbe"));
  if (file == nullptr) return ErrnoStatus(errno, "create " + part.string());
  Result<uint64_t> rows = WriteRows(source, limit, stop, file.get());
  file.reset();
  std::error_code error;
  if (!rows.ok()) {
    std::filesystem::remove(part, error);
    return rows.error().WithContext(part.string());
  }
  std::filesystem::rename(part, path, error);
  if (error) return ErrnoStatus(error.value(), "rename " + part.string());
  return rows;
}

}  // namespace slipstream::producer
