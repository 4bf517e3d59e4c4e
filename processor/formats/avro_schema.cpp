#include "processor/formats/avro_schema.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace slipstream::sql {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;
using Kind = AvroSchema::Kind;
using Logical = AvroSchema::Logical;

constexpr size_t kTypesMax = 10'000;

constexpr std::array<std::pair<std::string_view, Kind>, 8> kPrimitives = {
    {{"null", Kind::kNull},
     {"boolean", Kind::kBoolean},
     {"int", Kind::kInt},
     {"long", Kind::kLong},
     {"float", Kind::kFloat},
     {"double", Kind::kDouble},
     {"bytes", Kind::kBytes},
     {"string", Kind::kString}}};

Status Wrong(const std::string& what) {
  return InvalidArgument("not an Avro schema: " + what);
}

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A whole number from 0 to `max`; nullopt: it is none, or is not there.
std::optional<size_t> NumberOf(const Json& object, const char* name, size_t max) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto number = found->get<uint64_t>();
  return number <= max ? std::optional(static_cast<size_t>(number)) : std::nullopt;
}

class SchemaParser {
 public:
  Result<AvroSchemaPtr> Parse(const Json& json, const std::string& space, size_t depth) {
    if (depth > kAvroDepthMax || ++type_count_ > kTypesMax) return Wrong("nested too deep");
    if (json.is_string()) return ParseName(json.get<std::string>(), space);
    if (json.is_array()) return ParseUnion(json, space, depth);
    if (!json.is_object()) return Wrong("a type is a name, an object or an array");
    const auto type = json.find("type");
    if (type == json.end()) return Wrong("an object without \"type\"");
    if (!type->is_string()) return Parse(*type, space, depth + 1);
    const auto name = type->get<std::string>();
    if (name == "record" || name == "error") return ParseRecord(json, space, depth);
    if (name == "enum") return ParseEnum(json, space);
    if (name == "fixed") return ParseFixed(json, space);
    if (name == "array") return ParseOf(Kind::kArray, json, "items", space, depth);
    if (name == "map") return ParseOf(Kind::kMap, json, "values", space, depth);
    return ParseLogical(json, name, space);
  }

 private:
  Result<AvroSchemaPtr> ParseName(const std::string& name, const std::string& space) {
    for (const auto& [text, kind] : kPrimitives) {
      if (text != name) continue;
      auto schema = std::make_shared<AvroSchema>();
      schema->kind = kind;
      return AvroSchemaPtr(std::move(schema));
    }
    const std::string full = FullName(name, space);
    const auto found = named_.find(full);
    if (found == named_.end()) return Wrong("no type \"" + full + "\"");
    if (found->second == nullptr) {
      return Unimplemented("Avro: the record " + full + " holds itself, which is not supported");
    }
    return found->second;
  }

  static std::string FullName(const std::string& name, const std::string& space) {
    return name.find('.') != std::string::npos || space.empty() ? name : space + "." + name;
  }

  // The full name of a definition; the types in it are looked for in `space`.
  Result<std::string> Define(const Json& json, std::string& space) {
    const std::string name = TextOf(json, "name");
    if (name.empty()) return Wrong("a type without a name");
    const std::string own_space = TextOf(json, "namespace");
    const std::string full = FullName(name, own_space.empty() ? space : own_space);
    const size_t dot = full.rfind('.');
    space = dot == std::string::npos ? "" : full.substr(0, dot);
    if (!named_.emplace(full, nullptr).second) return Wrong("two types \"" + full + "\"");
    return full;
  }

  Result<AvroSchemaPtr> ParseUnion(const Json& json, const std::string& space, size_t depth) {
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = Kind::kUnion;
    for (const Json& branch : json) {
      ASSIGN_OR_RETURN(AvroSchemaPtr child, Parse(branch, space, depth + 1));
      if (child->kind == Kind::kUnion) return Wrong("a union in a union");
      schema->children.push_back(std::move(child));
    }
    return Finish(std::move(schema));
  }

  Result<AvroSchemaPtr> ParseRecord(const Json& json, std::string space, size_t depth) {
    ASSIGN_OR_RETURN(const std::string name, Define(json, space));
    const auto fields = json.find("fields");
    if (fields == json.end() || !fields->is_array()) return Wrong("a record without \"fields\"");
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = Kind::kRecord;
    for (const Json& field : *fields) {
      if (!field.is_object() || !field.contains("type")) return Wrong("a field without \"type\"");
      ASSIGN_OR_RETURN(AvroSchemaPtr child, Parse(field.at("type"), space, depth + 1));
      schema->children.push_back(std::move(child));
      schema->names.push_back(TextOf(field, "name"));
    }
    ASSIGN_OR_RETURN(AvroSchemaPtr finished, Finish(std::move(schema)));
    return named_[name] = std::move(finished);
  }

  Result<AvroSchemaPtr> ParseEnum(const Json& json, std::string space) {
    ASSIGN_OR_RETURN(const std::string name, Define(json, space));
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = Kind::kEnum;
    const auto symbols = json.find("symbols");
    if (symbols == json.end() || !symbols->is_array()) return Wrong("an enum without \"symbols\"");
    for (const Json& symbol : *symbols) {
      if (!symbol.is_string()) return Wrong("a symbol that is no text");
      schema->names.push_back(symbol.get<std::string>());
    }
    return named_[name] = std::move(schema);
  }

  Result<AvroSchemaPtr> ParseFixed(const Json& json, std::string space) {
    ASSIGN_OR_RETURN(const std::string name, Define(json, space));
    const std::optional<size_t> size = NumberOf(json, "size", kAvroSchemaBytesMax);
    if (!size) return Wrong("a fixed type without \"size\"");
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = Kind::kFixed;
    schema->fixed_bytes = *size;
    SetLogical(json, *schema);
    return named_[name] = std::move(schema);
  }

  Result<AvroSchemaPtr> ParseOf(
      Kind kind, const Json& json, const char* of, const std::string& space, size_t depth) {
    if (!json.contains(of)) return Wrong(std::string("no \"") + of + "\"");
    auto schema = std::make_shared<AvroSchema>();
    schema->kind = kind;
    ASSIGN_OR_RETURN(AvroSchemaPtr child, Parse(json.at(of), space, depth + 1));
    schema->children.push_back(std::move(child));
    return Finish(std::move(schema));
  }

  Result<AvroSchemaPtr> ParseLogical(const Json& json,
                                     const std::string& name,
                                     const std::string& space) {
    ASSIGN_OR_RETURN(const AvroSchemaPtr plain, ParseName(name, space));
    auto schema = std::make_shared<AvroSchema>(*plain);
    SetLogical(json, *schema);
    return AvroSchemaPtr(std::move(schema));
  }

  // What is no known logical type of that kind is the plain type, as Avro wants it.
  static void SetLogical(const Json& json, AvroSchema& schema) {
    const std::string name = TextOf(json, "logicalType");
    const bool is_int = schema.kind == Kind::kInt;
    const bool is_long = schema.kind == Kind::kLong;
    if (name == "decimal" && (schema.kind == Kind::kBytes || schema.kind == Kind::kFixed)) {
      schema.logical = Logical::kDecimal;
      schema.scale = static_cast<int32_t>(NumberOf(json, "scale", 1'000).value_or(0));
    }
    if (name == "date" && is_int) schema.logical = Logical::kDate;
    if (name == "time-millis" && is_int) schema.logical = Logical::kTimeMillis;
    if (name == "time-micros" && is_long) schema.logical = Logical::kTimeMicros;
    if (!is_long) return;
    if (name == "timestamp-millis" || name == "local-timestamp-millis") {
      schema.logical = Logical::kTimestampMillis;
    }
    if (name == "timestamp-micros" || name == "local-timestamp-micros") {
      schema.logical = Logical::kTimestampMicros;
    }
  }

  // Types that are named may nest deeper than they are written.
  static Result<AvroSchemaPtr> Finish(std::shared_ptr<AvroSchema> schema) {
    for (const AvroSchemaPtr& child : schema->children)
      schema->depth = std::max(schema->depth, child->depth + 1);
    if (schema->depth > kAvroDepthMax) return Wrong("nested too deep");
    return AvroSchemaPtr(std::move(schema));
  }

  std::map<std::string, AvroSchemaPtr> named_;  // null: being defined
  size_t type_count_ = 0;
};

// ---- Of SQL types ----

OrderedJson Logically(const char* type, const char* logical) {
  return {{"type", type}, {"logicalType", logical}};
}

Result<OrderedJson> RecordOf(const Schema& fields, const std::string& name);

Result<OrderedJson> NotNullOf(const DataType& type, const std::string& name);

Result<OrderedJson> TypeOf(const DataType& type, const std::string& name) {
  ASSIGN_OR_RETURN(OrderedJson json, NotNullOf(type, name));
  if (!type.nullable) return json;
  return OrderedJson::array({"null", std::move(json)});
}

Result<OrderedJson> NotNullOf(const DataType& type, const std::string& name) {
  const bool is_millis = type.precision <= 3;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return OrderedJson("boolean");
    case TypeKind::kTinyInt:
    case TypeKind::kSmallInt:
    case TypeKind::kInt:
      return OrderedJson("int");
    case TypeKind::kBigInt:
      return OrderedJson("long");
    case TypeKind::kFloat:
      return OrderedJson("float");
    case TypeKind::kDouble:
      return OrderedJson("double");
    case TypeKind::kChar:
    case TypeKind::kVarchar:
      return OrderedJson("string");
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return OrderedJson("bytes");
    case TypeKind::kDate:
      return Logically("int", "date");
    case TypeKind::kTime:
      return is_millis ? Logically("int", "time-millis") : Logically("long", "time-micros");
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      return Logically("long", is_millis ? "timestamp-millis" : "timestamp-micros");
    case TypeKind::kDecimal: {
      OrderedJson json = Logically("bytes", "decimal");
      json["precision"] = type.precision;
      json["scale"] = type.scale;
      return json;
    }
    case TypeKind::kRow:
      return RecordOf(*type.children, name);
    case TypeKind::kArray: {
      ASSIGN_OR_RETURN(OrderedJson items, TypeOf((*type.children)[0].type, name));
      return OrderedJson{{"type", "array"}, {"items", std::move(items)}};
    }
    case TypeKind::kMap: {
      if (!(*type.children)[0].type.is_string()) break;
      ASSIGN_OR_RETURN(OrderedJson values, TypeOf((*type.children)[1].type, name));
      return OrderedJson{{"type", "map"}, {"values", std::move(values)}};
    }
    default:
      break;
  }
  return Unimplemented(type.ToString() + " is not supported in Avro");
}

Result<OrderedJson> RecordOf(const Schema& fields, const std::string& name) {
  OrderedJson list = OrderedJson::array();
  for (const Field& field : fields) {
    Result<OrderedJson> type = TypeOf(field.type, name + "_" + field.name);
    if (!type.ok()) return type.status().WithContext("column " + field.name);
    OrderedJson entry = {{"name", field.name}, {"type", *std::move(type)}};
    if (field.type.nullable) entry["default"] = nullptr;
    list.push_back(std::move(entry));
  }
  OrderedJson record = {{"type", "record"}, {"name", name}};
  if (name == "record") record["namespace"] = "org.apache.flink.avro.generated";
  record["fields"] = std::move(list);
  return record;
}

}  // namespace

Result<AvroSchemaPtr> ParseAvroSchema(std::string_view json) {
  if (json.size() > kAvroSchemaBytesMax) return Wrong("more than 1 MiB");
  // The JSON parser itself is recursive.
  size_t depth = 0;
  for (const char c : json) {
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (depth > 8 * kAvroDepthMax) return Wrong("nested too deep");
  }
  const Json parsed = Json::parse(json, nullptr, false);
  if (parsed.is_discarded()) {
    // "long" may be written without its quotes where a schema stands alone.
    return SchemaParser().Parse(Json(std::string(json)), "", 0);
  }
  return SchemaParser().Parse(parsed, "", 0);
}

Result<std::string> AvroSchemaOf(const Schema& fields) {
  ASSIGN_OR_RETURN(const OrderedJson record, RecordOf(fields, "record"));
  return record.dump();
}

std::string_view NameOf(Kind kind) {
  constexpr std::array<std::string_view, 14> kNames = {"null",
                                                       "boolean",
                                                       "int",
                                                       "long",
                                                       "float",
                                                       "double",
                                                       "bytes",
                                                       "string",
                                                       "fixed",
                                                       "enum",
                                                       "array",
                                                       "map",
                                                       "record",
                                                       "union"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace slipstream::sql
