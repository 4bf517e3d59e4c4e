#include "processor/runtime/exchange_input.h"

#include <algorithm>
#include <string>
#include <utility>

#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

constexpr uint8_t kWatermarkKey = 'W';
constexpr uint8_t kWatermarkVersion = 1;

std::string WatermarkKey(size_t exchange) {
  RecordWriter writer;
  writer.Number(kWatermarkKey);
  writer.Number(static_cast<uint16_t>(exchange));
  return writer.Take();
}

}  // namespace

ExchangeInput::ExchangeInput(std::vector<ExchangeSenders> exchanges, TaskProgram& program)
    : exchanges_(std::move(exchanges)),
      program_(program),
      times_(exchanges_),
      watermarks_(exchanges_.size(), kNoWatermark),
      saved_watermarks_(watermarks_) {}

std::optional<size_t> ExchangeInput::PlaceOf(size_t exchange) const {
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    if (exchanges_[i].exchange == exchange) return i;
  }
  return std::nullopt;
}

Status ExchangeInput::Take(std::string_view record, TaskOutput& out) {
  ASSIGN_OR_RETURN(const RepartitionRecord parsed, ParseRepartitionRecord(record));
  if (parsed.marks.empty()) {
    if (!PlaceOf(parsed.exchange)) return DataLoss("rows of an exchange of another stage");
    return program_.ProcessExchanged(parsed.exchange, parsed.rows, out);
  }
  for (const SenderMark& mark : parsed.marks)
    times_.Set(mark);
  return RaiseWatermarks(out);
}

// An exchange whose senders are all idle follows the others, so that it holds nothing back.
Status ExchangeInput::RaiseWatermarks(TaskOutput& out) {
  std::vector<SenderTimes::Time> times;
  std::optional<EventTimeUs> active;
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    const SenderTimes::Time& time = times.emplace_back(times_.Of(i));
    if (time.is_idle || time.is_done) continue;
    const EventTimeUs watermark = time.watermark.value_or(kNoWatermark);
    active = active ? std::min(*active, watermark) : watermark;
  }
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    // The end is told once, by EndOfInput, or when others still go on.
    if (times[i].is_done && !active) continue;
    const std::optional<EventTimeUs> watermark = times[i].is_idle ? active : times[i].watermark;
    if (!watermark || *watermark <= watermarks_[i]) continue;
    watermarks_[i] = *watermark;
    RETURN_IF_ERROR(program_.AdvanceExchange(exchanges_[i].exchange, *watermark, out));
  }
  return {};
}

bool ExchangeInput::is_idle() const {
  bool is_someone_idle = false;
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    const SenderTimes::Time time = times_.Of(i);
    if (!time.is_idle && !time.is_done) return false;
    is_someone_idle = is_someone_idle || time.is_idle;
  }
  return is_someone_idle;
}

void ExchangeInput::SaveChanges(StateWriter& writer) {
  times_.SaveChanges(writer);
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    if (watermarks_[i] == saved_watermarks_[i]) continue;
    RecordWriter value;
    value.Number(kWatermarkVersion);
    value.Number(watermarks_[i]);
    writer.Put(WatermarkKey(exchanges_[i].exchange), value.bytes());
    saved_watermarks_[i] = watermarks_[i];
  }
}

Status ExchangeInput::Restore(std::string_view key, std::string_view value) {
  RecordReader reader(key);
  if (reader.Number<uint8_t>() != kWatermarkKey) return times_.Restore(key, value);
  const std::optional<size_t> place = PlaceOf(reader.Number<uint16_t>());
  RecordReader watermark(value);
  const auto version = watermark.Number<uint8_t>();
  const auto restored = watermark.Number<EventTimeUs>();
  if (version != kWatermarkVersion || !reader.AtEnd() || !watermark.AtEnd() || !place) {
    return DataLoss("the saved watermark of an exchange");
  }
  watermarks_[*place] = restored;
  saved_watermarks_[*place] = restored;
  return {};
}

void ExchangeInput::FinishRestore() {
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    if (watermarks_[i] == kNoWatermark) continue;
    program_.RestoreExchangeWatermark(exchanges_[i].exchange, watermarks_[i]);
  }
}

}  // namespace slipstream::runtime
