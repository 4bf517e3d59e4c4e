#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "processor/expr/aggregate_base.h"
#include "processor/expr/type_rules.h"

// LISTAGG.

namespace slipstream::sql {
namespace {

using Args = std::span<const ExpressionPtr>;

constexpr char kSeparator[] = ",";

struct ListState {
  std::string text;
  std::string separator = kSeparator;
  bool has_value = false;
};

struct ListItem {
  std::string text;
  std::optional<std::string> separator;
};

class OrderedList final : public OrderedAggregate<ListItem, OrderedList> {
 public:
  static constexpr char kFunction[] = "LISTAGG";

  OrderedList() : OrderedAggregate(kFunction) {}

  std::string usage() const override { return "LISTAGG(STRING[, STRING], order)"; }
  std::optional<ListItem> ItemOf(std::span<const Column> args, uint32_t row) const {
    if (args[0].is_null(row)) return std::nullopt;
    ListItem item{.text = std::string(args[0].strings[row]), .separator = std::nullopt};
    if (args.size() > 2 && !args[1].is_null(row)) item.separator = args[1].strings[row];
    return item;
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    const OrderedItems<ListItem>& list = At(state);
    if (list.items.empty()) return out.AppendNull();
    std::string text;
    std::string separator = kSeparator;
    bool is_first = true;
    for (const auto& [order, item] : list.items) {
      if (item.separator) separator = *item.separator;
      if (!std::exchange(is_first, false)) text += separator;
      text += item.text;
    }
    out.Append(text, arena);
  }
  static void PutItem(const ListItem& item, std::string& to) {
    PutText(to, item.text);
    PutByte(to, item.separator ? 1 : 0);
    PutText(to, item.separator.value_or(""));
  }
  bool TakeItem(std::string_view& from, ListItem& item) const {
    std::string_view text;
    std::string_view separator;
    uint8_t has_separator = 0;
    if (!TakeText(from, text) || !TakeByte(from, has_separator) || !TakeText(from, separator)) {
      return false;
    }
    item.text = text;
    if (has_separator != 0) item.separator = separator;
    return true;
  }
};

class ListAggregate final : public TypedAggregate<ListState, ListAggregate> {
 public:
  ListAggregate() : TypedAggregate("LISTAGG") {}

  std::string usage() const override { return "LISTAGG(STRING[, STRING])"; }
  std::optional<AggregateSignature> Bind(Args args) const override {
    if (args.empty() || args.size() > 2) return std::nullopt;
    for (const ExpressionPtr& arg : args) {
      if (!arg->type.is_string()) return std::nullopt;
    }
    return AggregateSignature{.args = std::vector<DataType>(args.size(), DataType::String()),
                              .result = DataType::String()};
  }
  void Update(std::span<std::byte* const> states,
              size_t state_offset,
              std::span<const uint32_t> rows,
              std::span<const Column> args) const override {
    for (size_t i = 0; i < rows.size(); ++i) {
      const uint32_t row = rows[i];
      if (args[0].is_null(row)) continue;
      ListState& state = At(states[i] + state_offset);
      if (args.size() > 1 && !args[1].is_null(row)) state.separator = args[1].strings[row];
      Add(state, args[0], row);
    }
  }
  bool depends_on_order() const override { return true; }
  const AggregateFunction* ordered() const override {
    static const OrderedList function;
    return &function;
  }
  bool grows() const override { return true; }
  static void Add(ListState& state, const Column& column, size_t row) {
    if (state.has_value) state.text += state.separator;
    state.text += column.strings[row];
    state.has_value = true;
  }
  static void Combine(ListState& into, const ListState& from) {
    if (!from.has_value) return;
    into.separator = from.separator;
    if (into.has_value) into.text += into.separator;
    into.text += from.text;
    into.has_value = true;
  }
  void Finish(const std::byte* state, Column& out, Arena& arena) const override {
    if (!At(state).has_value) return out.AppendNull();
    out.Append(At(state).text, arena);
  }
  void Save(const std::byte* state, std::string& to) const override {
    PutByte(to, At(state).has_value ? 1 : 0);
    PutText(to, At(state).text);
    PutText(to, At(state).separator);
  }
  Status Restore(std::byte* bytes, std::string_view& from) const override {
    ListState& state = At(bytes);
    uint8_t has_value = 0;
    std::string_view text;
    std::string_view separator;
    if (!TakeByte(from, has_value) || !TakeText(from, text) || !TakeText(from, separator)) {
      return DamagedState("LISTAGG");
    }
    state = {.text = std::string(text),
             .separator = std::string(separator),
             .has_value = has_value != 0};
    return {};
  }
};

}  // namespace

void AddListAggregate(AggregateList& list) {
  list.push_back(std::make_unique<ListAggregate>());
}

}  // namespace slipstream::sql
