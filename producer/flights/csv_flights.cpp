#include "producer/flights/csv_flights.h"

#include <utility>

#include <fmt/format.h>

#include "producer/flights/flight_parser.h"

namespace slipstream::producer {

CsvFlights::CsvFlights(Options options, RejectedRows& rejected)
    : options_(std::move(options)), rejected_(rejected) {}

Result<bool> CsvFlights::Next(Flight& flight) {
  while (true) {
    if (!reader_) {
      if (file_index_ == options_.files.size()) return false;
      RETURN_IF_ERROR(OpenNextFile());
      continue;
    }
    if (!row_is_pending_) {
      Result<CsvReader::Outcome> outcome = reader_->Next();
      if (!outcome.ok()) {
        return outcome.error().WithContext(options_.files[file_index_ - 1].string());
      }
      if (*outcome == CsvReader::Outcome::kEnd) {
        reader_.reset();
        continue;
      }
      if (*outcome == CsvReader::Outcome::kBadRow) {
        RETURN_IF_ERROR(Reject(reader_->reason()));
        continue;
      }
    }
    row_is_pending_ = false;
    Status parsed = ParseFlight(*layout_, reader_->fields(), flight_count_, flight);
    if (parsed.ok()) {
      ++flight_count_;
      return true;
    }
    RETURN_IF_ERROR(Reject(parsed.message()));
  }
}

Status CsvFlights::Rewind() {
  for (const std::filesystem::path& file : options_.files) {
    if (file == "-") return FailedPrecondition("standard input can be read only once");
  }
  file_index_ = 0;
  reader_.reset();
  flight_count_ = 0;
  return {};
}

Status CsvFlights::OpenNextFile() {
  const std::filesystem::path& file = options_.files[file_index_++];
  ASSIGN_OR_RETURN(std::unique_ptr<ByteSource> source, OpenByteSource(file));
  reader_.emplace(std::move(source));
  Result<bool> has_rows = ReadLayout();
  if (!has_rows.ok()) return has_rows.error().WithContext(file.string());
  if (!*has_rows) reader_.reset();
  return {};
}

Result<bool> CsvFlights::ReadLayout() {
  ASSIGN_OR_RETURN(CsvReader::Outcome outcome, reader_->Next());
  if (outcome == CsvReader::Outcome::kEnd) return false;
  if (outcome == CsvReader::Outcome::kBadRow) {
    return InvalidArgument(fmt::format("line {}: {}", reader_->line(), reader_->reason()));
  }
  Result<Layout> layout = options_.layout.empty()
                              ? Layout::Recognise(reader_->fields())
                              : Layout::Named(options_.layout, reader_->fields());
  if (!layout.ok()) return layout.error();
  layout_ = *layout;
  row_is_pending_ = !layout_->has_header();
  return true;
}

Status CsvFlights::Reject(const std::string& reason) {
  const std::filesystem::path& file = options_.files[file_index_ - 1];
  if (options_.is_strict) {
    return InvalidArgument(fmt::format("{}:{}: {}", file.string(), reader_->line(), reason));
  }
  rejected_.Add(file, reader_->line(), reason);
  return {};
}

}  // namespace slipstream::producer
