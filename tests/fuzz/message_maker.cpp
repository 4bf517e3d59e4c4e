#include "tests/fuzz/message_maker.h"

#include <algorithm>
#include <utility>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

namespace slipstream::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int kDepthMax = 4;
constexpr size_t kRepeatedMax = 4;
constexpr size_t kLearntMax = 32;

// Fields whose values go into one another: what one call answers the other asks for.
std::string MeaningOf(std::string_view field) {
  static const std::map<std::string, std::string, std::less<>> kMeanings = {
      {"first_block_id", "block_id"},
      {"removed_block_id", "block_id"},
      {"corrupt_block_id", "block_id"},
      {"highest_block_id", "block_id"},
      {"source_block_ids", "block_id"},
      {"inode_ids", "inode_id"},
      {"dropped_inode_ids", "inode_id"},
      {"expected_length_bytes", "length_bytes"},
      {"offset_bytes", "length_bytes"},
      {"raw_bytes", "length_bytes"},
      {"acknowledged_sequence", "sequence"},
      {"source", "path"},
      {"sources", "path"},
      {"target", "path"},
      {"new_path", "path"},
      {"paths", "path"},
      {"start_after", "name"},
      {"writer", "owner"},
      {"owner_prefix", "owner"},
      {"node", "node_id"},
      {"holder_node_ids", "node_id"},
      {"exclude_node_ids", "node_id"},
      {"next_cursor", "cursor"},
  };
  const auto found = kMeanings.find(field);
  return found == kMeanings.end() ? std::string(field) : found->second;
}

}  // namespace

void MessageMaker::AddWords(const std::string& field, std::vector<std::string> words) {
  words_[MeaningOf(field)] = std::move(words);
}

void MessageMaker::Make(InputReader& reader, Message& message) const {
  MakeFields(reader, message, 0);
}

void MessageMaker::MakeFields(InputReader& reader, Message& message, int depth) const {
  const auto* const descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor& field = *descriptor->field(i);
    size_t count = field.is_repeated() ? reader.Below(kRepeatedMax) : 1;
    // Of the alternatives the last that is made stays, so that some must not be.
    if (field.containing_oneof() != nullptr && !reader.Bit()) count = 0;
    for (; count > 0; --count)
      MakeField(reader, field, message, depth);
  }
}

void MessageMaker::MakeField(InputReader& reader,
                             const FieldDescriptor& field,
                             Message& message,
                             int depth) const {
  const Reflection& to = *message.GetReflection();
  const bool adds = field.is_repeated();
  const auto number = [&] { return MakeNumber(reader, field.name()); };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_UINT64:
      return adds ? to.AddUInt64(&message, &field, number())
                  : to.SetUInt64(&message, &field, number());
    case FieldDescriptor::CPPTYPE_INT64:
      return adds ? to.AddInt64(&message, &field, static_cast<int64_t>(number()))
                  : to.SetInt64(&message, &field, static_cast<int64_t>(number()));
    case FieldDescriptor::CPPTYPE_UINT32:
      return adds ? to.AddUInt32(&message, &field, static_cast<uint32_t>(number()))
                  : to.SetUInt32(&message, &field, static_cast<uint32_t>(number()));
    case FieldDescriptor::CPPTYPE_INT32:
      return adds ? to.AddInt32(&message, &field, static_cast<int32_t>(number()))
                  : to.SetInt32(&message, &field, static_cast<int32_t>(number()));
    case FieldDescriptor::CPPTYPE_ENUM:
      return adds ? to.AddEnumValue(&message, &field, reader.Byte() % 8)
                  : to.SetEnumValue(&message, &field, reader.Byte() % 8);
    case FieldDescriptor::CPPTYPE_BOOL:
      return adds ? to.AddBool(&message, &field, reader.Bit())
                  : to.SetBool(&message, &field, reader.Bit());
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double value = static_cast<double>(static_cast<int64_t>(number())) / 4;
      return adds ? to.AddDouble(&message, &field, value) : to.SetDouble(&message, &field, value);
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
      return;
    case FieldDescriptor::CPPTYPE_STRING:
      return adds ? to.AddString(&message, &field, MakeText(reader, field.name()))
                  : to.SetString(&message, &field, MakeText(reader, field.name()));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (depth == kDepthMax) return;
      return MakeFields(
          reader,
          adds ? *to.AddMessage(&message, &field) : *to.MutableMessage(&message, &field),
          depth + 1);
  }
}

uint64_t MessageMaker::MakeNumber(InputReader& reader, const std::string& field) const {
  const auto known = numbers_.find(MeaningOf(field));
  const uint8_t choice = reader.Byte();
  if (choice < 0xc0 && known != numbers_.end()) {
    // The newest are the likeliest to matter.
    const std::vector<uint64_t>& numbers = known->second;
    return numbers[numbers.size() - 1 - choice % numbers.size()];
  }
  return choice < 0xe0 ? choice % 8 : reader.Number();
}

std::string MessageMaker::MakeText(InputReader& reader, const std::string& field) const {
  const auto known = words_.find(MeaningOf(field));
  const uint8_t choice = reader.Byte();
  if (choice < 0xf0 && known != words_.end()) return known->second[choice % known->second.size()];
  return std::string(choice < 0xf8 ? std::string_view() : reader.Text());
}

void MessageMaker::LearnNumber(const std::string& field, uint64_t number) {
  std::vector<uint64_t>& numbers = numbers_[MeaningOf(field)];
  if (std::find(numbers.begin(), numbers.end(), number) != numbers.end()) return;
  if (numbers.size() == kLearntMax) numbers.erase(numbers.begin());
  numbers.push_back(number);
}

void MessageMaker::Learn(const Message& message) {
  const Reflection& from = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  from.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const int count = field->is_repeated() ? from.FieldSize(message, field) : 1;
    for (int i = 0; i < std::min<int>(count, kLearntMax); ++i) {
      const bool is_one = !field->is_repeated();
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_UINT64:
          LearnNumber(
              field->name(),
              is_one ? from.GetUInt64(message, field) : from.GetRepeatedUInt64(message, field, i));
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          LearnNumber(
              field->name(),
              is_one ? from.GetUInt32(message, field) : from.GetRepeatedUInt32(message, field, i));
          break;
        case FieldDescriptor::CPPTYPE_MESSAGE:
          Learn(is_one ? from.GetMessage(message, field)
                       : from.GetRepeatedMessage(message, field, i));
          break;
        default:
          break;
      }
    }
  }
}

}  // namespace slipstream::fuzz
