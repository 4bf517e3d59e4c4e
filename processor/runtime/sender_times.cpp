#include "processor/runtime/sender_times.h"

#include <algorithm>
#include <string>
#include <utility>

#include "processor/state/encoding.h"

namespace slipstream::runtime {
namespace {

std::string SenderKey(const SenderId& sender) {
  RecordWriter writer;
  writer.Number(static_cast<uint8_t>('S'));
  writer.Number(sender.input);
  writer.Number(sender.partition);
  return writer.Take();
}

}  // namespace

SenderTimes::SenderTimes(std::vector<ExchangeSenders> exchanges)
    : exchanges_(std::move(exchanges)) {}

void SenderTimes::Set(const SenderMark& mark) {
  uint32_t& count = counts_[mark.sender.input];
  count = std::max(count, mark.sender_count);
  const auto [found, is_new] = senders_.emplace(mark.sender, mark);
  if (!is_new) {
    SenderMark latest = mark;
    latest.watermark = std::max(found->second.watermark, mark.watermark);
    latest.is_done = found->second.is_done || mark.is_done;
    if (found->second == latest) return;
    found->second = latest;
  }
  changed_.insert(mark.sender);
}

SenderTimes::Time SenderTimes::Of(size_t exchange) const {
  Time time{.watermark = std::nullopt, .is_idle = false, .is_done = true};
  bool is_someone_idle = false;
  std::optional<EventTimeUs> least;
  for (const uint8_t input : exchanges_[exchange].inputs) {
    const auto count = counts_.find(input);
    if (count == counts_.end()) return {};
    for (uint32_t p = 0; p < count->second; ++p) {
      const auto found = senders_.find({.input = input, .partition = static_cast<int32_t>(p)});
      if (found == senders_.end()) return {};
      const SenderMark& mark = found->second;
      if (mark.is_done) continue;
      time.is_done = false;
      if (mark.is_idle) {
        is_someone_idle = true;
      } else {
        least = least ? std::min(*least, mark.watermark) : mark.watermark;
      }
    }
  }
  time.is_idle = is_someone_idle && !least;
  time.watermark = time.is_done ? std::optional(kEndOfTime) : least;
  return time;
}

bool SenderTimes::is_done() const {
  for (size_t i = 0; i < exchanges_.size(); ++i) {
    if (!Of(i).is_done) return false;
  }
  return true;
}

void SenderTimes::SaveChanges(StateWriter& writer) {
  for (const SenderId& sender : changed_)
    writer.Put(SenderKey(sender), EncodeSenderMarks({&senders_.at(sender), 1}));
  changed_.clear();
}

Status SenderTimes::Restore(std::string_view key, std::string_view value) {
  ASSIGN_OR_RETURN(const RepartitionRecord record, ParseRepartitionRecord(value));
  if (record.marks.size() != 1 || SenderKey(record.marks.front().sender) != key) {
    return DataLoss("the saved mark of a sender");
  }
  Set(record.marks.front());
  changed_.clear();
  return {};
}

}  // namespace slipstream::runtime
