#include "processor/formats/json_nested.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace slipstream::sql {
namespace {

namespace ondemand = simdjson::ondemand;
using Type = ondemand::json_type;

Status Mismatch(const Column& to) {
  return InvalidArgument("cannot read a value of another shape as " + to.type.ToString());
}

// What a value gives that does not fit: an error, or nothing if the options say so.
Status Settle(Status status, const JsonOptions& options, Column& child, size_t row) {
  if (status.ok() || !options.ignore_parse_errors) return status;
  ForgetRow(child, row);
  return {};
}

Status ReadArray(
    ondemand::array array, JsonShape& shape, const JsonOptions& options, Arena& arena, Column& to) {
  for (auto item : array) {
    ondemand::value element;
    // NOLINTNEXTLINE(performance-move-const-arg): what is no rvalue has no get
    if (const auto error = std::move(item).get(element)) return JsonError(error);
    const size_t entry = AddEntry(to);
    RETURN_IF_ERROR(
        Settle(ReadJsonValue(element, shape.children[0], options, arena, entry, to.children[0]),
               options,
               to.children[0],
               entry));
  }
  return {};
}

Status ReadMap(ondemand::object object,
               JsonShape& shape,
               const JsonOptions& options,
               Arena& arena,
               Column& to) {
  for (auto item : object) {
    if (const auto error = item.error()) return JsonError(error);
    ondemand::field&& field = std::move(item).value_unsafe();
    std::string_view key;
    if (const auto error = field.unescaped_key().get(key)) return JsonError(error);
    const size_t entry = AddEntry(to);
    to.children[0].strings[entry] = arena.Copy(key);
    to.children[0].valid[entry] = 1;
    RETURN_IF_ERROR(Settle(
        ReadJsonValue(field.value(), shape.children[1], options, arena, entry, to.children[1]),
        options,
        to.children[1],
        entry));
  }
  return {};
}

}  // namespace

Status ReadJsonFields(ondemand::object object,
                      const std::vector<Field>& fields,
                      JsonShape& shape,
                      const JsonOptions& options,
                      Arena& arena,
                      size_t row,
                      std::span<Column> to) {
  std::vector<uint8_t> seen(options.fail_on_missing_field ? fields.size() : 0, 0);
  size_t place = 0;
  for (auto item : object) {
    if (const auto error = item.error()) return JsonError(error);
    ondemand::field&& field = std::move(item).value_unsafe();
    int32_t found = JsonKeys::kNone;
    if (const auto error = FindField(shape.keys, field, place++, found)) return JsonError(error);
    if (found == JsonKeys::kNone) continue;
    const auto index = static_cast<size_t>(found);
    if (!seen.empty()) seen[index] = 1;
    Column& column = to[index];
    if (column.valid[row] != 0) ForgetRow(column, row);
    Status status =
        ReadJsonValue(field.value(), shape.children[index], options, arena, row, column);
    if (status.ok()) continue;
    status = Settle(std::move(status), options, column, row);
    if (!status.ok()) return status.WithContext("field " + fields[index].name);
  }
  const auto missing = std::find(seen.begin(), seen.end(), uint8_t{0});
  if (missing != seen.end()) {
    return InvalidArgument("field " + fields[static_cast<size_t>(missing - seen.begin())].name +
                           " is missing");
  }
  return {};
}

Status ReadJsonNested(ondemand::value& value,
                      Type kind,
                      JsonShape& shape,
                      const JsonOptions& options,
                      Arena& arena,
                      size_t row,
                      Column& to) {
  const bool is_array = to.type.kind == TypeKind::kArray;
  if (kind != (is_array ? Type::array : Type::object)) return Mismatch(to);
  if (HasEntries(to)) BeginEntries(to, row);
  Status status;
  if (is_array) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return JsonError(error);
    status = ReadArray(array, shape, options, arena, to);
  } else {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return JsonError(error);
    status =
        to.type.kind == TypeKind::kMap
            ? ReadMap(object, shape, options, arena, to)
            : ReadJsonFields(object, *to.type.children, shape, options, arena, row, to.children);
  }
  if (HasEntries(to)) EndEntries(to);
  to.valid[row] = status.ok() ? 1 : 0;
  return status;
}

}  // namespace slipstream::sql
