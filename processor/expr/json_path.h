#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace slipstream::sql {

// Whether the text is JSON, and its value, which lives until `parser` parses again.
bool ParseJson(std::string_view text, simdjson::dom::parser& parser, simdjson::dom::element& root);

// JsonPath: a path of SQL's JSON functions: $, .name, ['name'], [n] (from the end if negative), .*
// and [*], and ..name at any depth; "lax" or "strict" before them, strict if there is neither.
class JsonPath {
 public:
  // nullopt: it is no such path.
  static std::optional<JsonPath> Parse(std::string_view path);

  // What lies at the path of one text.
  struct Found {
    enum class Kind : uint8_t {
      kError,  // strict, and there is no such place, or the text is no JSON
      kEmpty,  // null, or lax and nothing there
      kOne,    // `one`
      kMany,   // `many`, of a path that may lead to several places; together an array
    };
    Kind kind = Kind::kEmpty;
    simdjson::dom::element one;
    std::vector<simdjson::dom::element> many;

    bool is_scalar() const { return kind == Kind::kOne && !one.is_object() && !one.is_array(); }
  };
  // What it finds lives until `parser` parses again.
  Found Find(std::string_view text, simdjson::dom::parser& parser) const;

  bool is_lax() const { return is_lax_; }

 private:
  struct Step {
    enum class Kind : uint8_t { kName, kIndex, kEvery, kAnywhere };
    Kind kind = Kind::kName;
    std::string name;  // of kName and kAnywhere; "*" of the latter is every member
    int64_t index = 0;
  };

  bool ParseSteps(std::string_view path);
  bool ParseBracket(std::string_view& path);
  // Adds what `steps_` from `step` on lead to. False: a place is missing that must be there.
  bool Walk(const simdjson::dom::element& at,
            size_t step,
            std::vector<simdjson::dom::element>& found) const;
  void WalkAnywhere(const simdjson::dom::element& at,
                    size_t step,
                    std::vector<simdjson::dom::element>& found) const;

  std::vector<Step> steps_;
  size_t definite_steps_ = 0;  // those before the first that may lead to several places
  bool is_lax_ = false;
};

// Appends the value as Flink writes it: without blanks, an object's members in the order of their
// names.
void AppendJson(const simdjson::dom::element& value, std::string& to);

}  // namespace slipstream::sql
