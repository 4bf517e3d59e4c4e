#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "processor/columns/json_text.h"
#include "processor/expr/aggregate_base.h"
#include "processor/expr/type_rules.h"

// JSON_ARRAYAGG and JSON_OBJECTAGG. Their values are JSON already: MakeAggregate sees to that. The
// second word of a name says what becomes of NULLs.

namespace slipstream::sql {
namespace {

using Args = std::span<const ExpressionPtr>;

constexpr std::string_view kNull = "null";

std::string AsArray(const std::string& items) {
  return "[" + items + "]";
}

struct JsonListState {
  std::string items;  // with commas between them
};

class OrderedJsonList final : public OrderedAggregate<std::string, OrderedJsonList> {
 public:
  static constexpr char kFunction[] = "JSON_ARRAYAGG";

  OrderedJsonList(const char* name, bool keeps_nulls)
      : OrderedAggregate(name), keeps_nulls_(keeps_nulls) {}

  std::string usage() const override { return "JSON_ARRAYAGG(value, order)"; }
  std::optional<std::string> ItemOf(std::span<const Column> args, uint32_t row) const {
    const bool is_null = args[0].is_null(row);
    if (is_null && !keeps_nulls_) return std::nullopt;
    return std::string(is_null ? kNull : args[0].strings[row]);
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    std::string items;
    for (const auto& [order, item] : At(state).items)
      items.append(items.empty() ? "" : ",").append(item);
    out.Append(AsArray(items), arena);
  }
  static void PutItem(const std::string& item, std::string& to) { PutText(to, item); }
  bool TakeItem(std::string_view& from, std::string& item) const {
    std::string_view text;
    if (!TakeText(from, text)) return false;
    item = text;
    return true;
  }

 private:
  const bool keeps_nulls_;
};

class JsonList final : public StateAggregate<JsonListState, JsonList> {
 public:
  JsonList(const char* name, bool keeps_nulls)
      : StateAggregate(name), keeps_nulls_(keeps_nulls), ordered_(name, keeps_nulls) {}

  std::string usage() const override { return "JSON_ARRAYAGG(value)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.size() != 1 || !args[0]->type.is_string()) return std::nullopt;
    return AggregateSignature{.args = {DataType::String()},
                              .result = AsNullable(DataType::String(), false)};
  }
  bool depends_on_order() const override { return true; }
  const AggregateFunction* ordered() const override { return &ordered_; }
  bool grows() const override { return true; }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool is_null = args[0].is_null(rows[i]);
      if (is_null && !keeps_nulls_) continue;
      std::string& items = At(states[i] + state_offset).items;
      if (!items.empty()) items.push_back(',');
      items += is_null ? kNull : args[0].strings[rows[i]];
    }
  }
  static void Combine(JsonListState& into, const JsonListState& from) {
    if (!into.items.empty() && !from.items.empty()) into.items.push_back(',');
    into.items += from.items;
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    out.Append(AsArray(At(state).items), arena);
  }
  void Save(const std::byte* state, std::string& to) const override {
    PutText(to, At(state).items);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    std::string_view items;
    if (!TakeText(from, items)) return DamagedState("JSON_ARRAYAGG");
    At(bytes).items = items;
    return {};
  }

 private:
  const bool keeps_nulls_;
  const OrderedJsonList ordered_;
};

// Sorted, so that the order of rows does not matter. A key that comes more than once stands there
// as often, with each of its values (Flink fails).
struct JsonMembersState {
  std::multiset<std::pair<std::string, std::string>> members;
};

class JsonMembers final : public StateAggregate<JsonMembersState, JsonMembers> {
 public:
  JsonMembers(const char* name, bool keeps_nulls)
      : StateAggregate(name), keeps_nulls_(keeps_nulls) {}

  std::string usage() const override { return "JSON_OBJECTAGG(STRING VALUE value)"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.size() != 2 || !args[0]->type.is_string() || !args[1]->type.is_string()) {
      return std::nullopt;
    }
    return AggregateSignature{.args = {DataType::String(), DataType::String()},
                              .result = AsNullable(DataType::String(), false)};
  }
  bool grows() const override { return true; }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t row = rows[i];
      const bool is_null = args[1].is_null(row);
      if (args[0].is_null(row) || (is_null && !keeps_nulls_)) continue;
      At(states[i] + state_offset)
          .members.emplace(args[0].strings[row], is_null ? kNull : args[1].strings[row]);
    }
  }
  static void Combine(JsonMembersState& into, const JsonMembersState& from) {
    into.members.insert(from.members.begin(), from.members.end());
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    std::string text = "{";
    for (const auto& [name, value] : At(state).members) {
      if (text.size() > 1) text.push_back(',');
      AppendJsonText(name, text);
      text.append(":").append(value);
    }
    out.Append(text + "}", arena);
  }
  void Save(const std::byte* state, std::string& to) const override {
    PutNumber(to, static_cast<uint32_t>(At(state).members.size()));
    for (const auto& [name, value] : At(state).members) {
      PutText(to, name);
      PutText(to, value);
    }
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    uint32_t count = 0;
    if (!TakeNumber(from, count)) return DamagedState("JSON_OBJECTAGG");
    for (uint32_t i = 0; i < count; ++i) {
      std::string_view name;
      std::string_view value;
      if (!TakeText(from, name) || !TakeText(from, value)) return DamagedState("JSON_OBJECTAGG");
      At(bytes).members.emplace(name, value);
    }
    return {};
  }

 private:
  const bool keeps_nulls_;
};

}  // namespace

void AddJsonAggregates(AggregateList& list) {
  list.push_back(std::make_unique<JsonList>("JSON_ARRAYAGG ABSENT", false));
  list.push_back(std::make_unique<JsonList>("JSON_ARRAYAGG NULL", true));
  list.push_back(std::make_unique<JsonMembers>("JSON_OBJECTAGG ABSENT", false));
  list.push_back(std::make_unique<JsonMembers>("JSON_OBJECTAGG NULL", true));
}

}  // namespace slipstream::sql
