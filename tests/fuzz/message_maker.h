#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fuzz/input_reader.h"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace slipstream::fuzz {

// MessageMaker: requests of any type out of the bytes of an input, by protobuf's reflection, so
// that a call that is added to a service is tried without a word here. Its numbers and texts are
// seldom arbitrary: they come from what the server answered under a name of the same meaning
// (Learn), or from words that were given to begin with, so that requests are about something.
class MessageMaker final {
 public:
  // Texts to begin with for fields of this name.
  void AddWords(const std::string& field, std::vector<std::string> words);

  // Fills all fields of an empty message.
  void Make(InputReader& reader, google::protobuf::Message& message) const;

  // Takes in the numbers and texts of an answer, or of a request that was made otherwise.
  void Learn(const google::protobuf::Message& message);

 private:
  void MakeField(InputReader& reader,
                 const google::protobuf::FieldDescriptor& field,
                 google::protobuf::Message& message,
                 int depth) const;
  void MakeFields(InputReader& reader, google::protobuf::Message& message, int depth) const;
  uint64_t MakeNumber(InputReader& reader, const std::string& field) const;
  std::string MakeText(InputReader& reader, const std::string& field) const;
  void LearnNumber(const std::string& field, uint64_t number);

  std::map<std::string, std::vector<uint64_t>, std::less<>> numbers_;
  std::map<std::string, std::vector<std::string>, std::less<>> words_;
};

}  // namespace slipstream::fuzz
