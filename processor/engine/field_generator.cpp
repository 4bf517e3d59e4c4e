#include "processor/engine/field_generator.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "processor/types/date_time.h"
#include "processor/types/decimal.h"
#include "processor/types/number_text.h"

namespace slipstream::sql {
namespace {

using Generators = std::vector<std::unique_ptr<FieldGenerator>>;

void AppendValue(Column& to, const Value& value, Arena& arena) {
  to.Append(value, arena);
}

Status NoNumber(const std::string& key, const std::string& text) {
  return InvalidArgument("'" + key + "': '" + text + "' is no such number");
}

// ---- Random values ----

class RandomBoolean final : public FieldGenerator {
 public:
  void Append(uint64_t, int64_t, std::mt19937_64& random, Arena& arena, Column& to) const override {
    AppendValue(to, (random() & 1) != 0, arena);
  }
};

class RandomInteger final : public FieldGenerator {
 public:
  RandomInteger(int64_t min, int64_t max) : min_(min), max_(max) {}
  void Append(uint64_t, int64_t, std::mt19937_64& random, Arena& arena, Column& to) const override {
    AppendValue(to, std::uniform_int_distribution<int64_t>(min_, max_)(random), arena);
  }

 private:
  const int64_t min_;
  const int64_t max_;
};

class RandomReal final : public FieldGenerator {
 public:
  RandomReal(double min, double max) : min_(min), max_(max) {}
  void Append(uint64_t, int64_t, std::mt19937_64& random, Arena& arena, Column& to) const override {
    const double share = std::uniform_real_distribution<double>(0, 1)(random);
    // Not max − min, which may be beyond all doubles.
    const double value = std::clamp(min_ * (1 - share) + max_ * share, min_, max_);
    if (to.type.kind == TypeKind::kDecimal) {
      const std::optional<Int128> decimal = DecimalFromDouble(value, to.type.scale);
      if (decimal && FitsPrecision(*decimal, to.type.precision)) {
        AppendValue(to, *decimal, arena);
      } else {
        to.AppendNull();
      }
      return;
    }
    const bool is_float = to.type.kind == TypeKind::kFloat;
    AppendValue(to, is_float ? static_cast<double>(static_cast<float>(value)) : value, arena);
  }

 private:
  const double min_;
  const double max_;
};

// Characters of hexadecimal numbers, as Flink has it; bytes are any.
class RandomText final : public FieldGenerator {
 public:
  RandomText(int64_t length, bool is_variable) : length_(length), is_variable_(is_variable) {}
  void Append(uint64_t, int64_t, std::mt19937_64& random, Arena& arena, Column& to) const override {
    constexpr std::string_view kHex = "0123456789abcdef";
    const int64_t length =
        is_variable_ ? std::uniform_int_distribution<int64_t>(0, length_)(random) : length_;
    std::string text(static_cast<size_t>(length), '\0');
    const bool is_binary = to.type.is_binary();
    for (char& c : text) {
      const uint64_t bits = random();
      c = is_binary ? static_cast<char>(bits & 0xFF) : kHex[bits & 15];
    }
    AppendValue(to, std::move(text), arena);
  }

 private:
  const int64_t length_;
  const bool is_variable_;
};

// Now, or up to `max_past` before.
class PastTime final : public FieldGenerator {
 public:
  explicit PastTime(int64_t max_past_us) : max_past_us_(max_past_us) {}
  void Append(
      uint64_t, int64_t now_us, std::mt19937_64& random, Arena& arena, Column& to) const override {
    const int64_t past =
        max_past_us_ == 0 ? 0 : std::uniform_int_distribution<int64_t>(0, max_past_us_)(random);
    const int64_t time = FloorDivide(now_us - past, kMicrosPerMilli) * kMicrosPerMilli;
    int64_t value = time;
    if (to.type.kind == TypeKind::kDate) value = FloorDivide(time, kMicrosPerDay);
    if (to.type.kind == TypeKind::kTime) value = FloorModulo(time, kMicrosPerDay);
    AppendValue(to, value, arena);
  }

 private:
  const int64_t max_past_us_;
};

class OrNull final : public FieldGenerator {
 public:
  OrNull(std::unique_ptr<FieldGenerator> generator, double null_rate)
      : generator_(std::move(generator)), null_rate_(null_rate) {}
  void Append(uint64_t row,
              int64_t now_us,
              std::mt19937_64& random,
              Arena& arena,
              Column& to) const override {
    if (std::uniform_real_distribution<double>(0, 1)(random) < null_rate_) {
      to.AppendNull();
    } else {
      generator_->Append(row, now_us, random, arena, to);
    }
  }

 private:
  const std::unique_ptr<FieldGenerator> generator_;
  const double null_rate_;
};

// A ROW's fields, or so many entries of an ARRAY or MAP.
class Nested final : public FieldGenerator {
 public:
  Nested(Generators children, int64_t length) : children_(std::move(children)), length_(length) {}
  void Append(uint64_t row,
              int64_t now_us,
              std::mt19937_64& random,
              Arena& arena,
              Column& to) const override {
    if (!to.valid.empty()) to.valid.push_back(1);
    const bool is_row = to.type.kind == TypeKind::kRow;
    if (!is_row && to.offsets.empty()) to.offsets.push_back(0);
    for (int64_t entry = 0; entry < (is_row ? 1 : length_); ++entry) {
      for (size_t i = 0; i < children_.size(); ++i)
        children_[i]->Append(row, now_us, random, arena, to.children[i]);
    }
    if (!is_row) to.offsets.push_back(static_cast<uint32_t>(to.children[0].size()));
  }

 private:
  const Generators children_;
  const int64_t length_;
};

// ---- Sequences ----

class Sequence final : public FieldGenerator {
 public:
  explicit Sequence(int64_t start) : start_(start) {}
  void Append(uint64_t row, int64_t, std::mt19937_64&, Arena& arena, Column& to) const override {
    const int64_t number = start_ + static_cast<int64_t>(row);
    switch (to.physical()) {
      case PhysicalKind::kDouble:
        AppendValue(to, static_cast<double>(number), arena);
        break;
      case PhysicalKind::kInt128:
        if (const std::optional<Int128> decimal = Rescale(number, 0, to.type.scale)) {
          AppendValue(to, *decimal, arena);
        } else {
          to.AppendNull();
        }
        break;
      case PhysicalKind::kString:
        AppendValue(to, std::to_string(number), arena);
        break;
      default:
        AppendValue(to, number, arena);
        break;
    }
  }

 private:
  const int64_t start_;
};

// ---- Options ----

std::pair<int64_t, int64_t> RangeOf(TypeKind kind) {
  switch (kind) {
    case TypeKind::kTinyInt:
      return {INT8_MIN, INT8_MAX};
    case TypeKind::kSmallInt:
      return {INT16_MIN, INT16_MAX};
    case TypeKind::kInt:
      return {INT32_MIN, INT32_MAX};
    default:
      return {INT64_MIN, INT64_MAX};
  }
}

// FieldReader: the options of one field.
class FieldReader {
 public:
  FieldReader(OptionReader& options, std::string prefix, const DataType& type)
      : options_(options), prefix_(std::move(prefix)), type_(type) {}

  Result<std::unique_ptr<FieldGenerator>> Read(std::optional<uint64_t>& row_count) {
    constexpr std::array<std::string_view, 2> kKinds = {"random", "sequence"};
    ASSIGN_OR_RETURN(const std::string kind, options_.GetOneOf(prefix_ + "kind", "random", kKinds));
    if (kind == "sequence") return ReadSequence(row_count);
    ASSIGN_OR_RETURN(std::unique_ptr<FieldGenerator> generator, ReadRandom(row_count));
    ASSIGN_OR_RETURN(const double null_rate, options_.GetShare(prefix_ + "null-rate", 0));
    if (null_rate > 0) generator = std::make_unique<OrNull>(std::move(generator), null_rate);
    return generator;
  }

 private:
  Result<std::unique_ptr<FieldGenerator>> ReadSequence(std::optional<uint64_t>& row_count) {
    const bool is_number = type_.is_numeric() || type_.is_string();
    if (!is_number) {
      return InvalidArgument("'" + prefix_ + "kind': there is no sequence of " + type_.ToString());
    }
    RETURN_IF_ERROR(options_.GetString(prefix_ + "start").status());
    RETURN_IF_ERROR(options_.GetString(prefix_ + "end").status());
    const auto [least, greatest] = RangeOf(type_.is_integer() ? type_.kind : TypeKind::kBigInt);
    ASSIGN_OR_RETURN(const int64_t start, options_.GetInt(prefix_ + "start", 0, least, greatest));
    ASSIGN_OR_RETURN(const int64_t end, options_.GetInt(prefix_ + "end", 0, start, greatest));
    const uint64_t steps = static_cast<uint64_t>(end) - static_cast<uint64_t>(start);
    const uint64_t count = steps == UINT64_MAX ? steps : steps + 1;
    row_count = std::min(row_count.value_or(count), count);
    return std::unique_ptr<FieldGenerator>(std::make_unique<Sequence>(start));
  }

  Result<std::unique_ptr<FieldGenerator>> ReadRandom(std::optional<uint64_t>& row_count) {
    if (type_.kind == TypeKind::kBoolean) return Made<RandomBoolean>();
    if (type_.is_integer()) {
      const auto [least, greatest] = RangeOf(type_.kind);
      ASSIGN_OR_RETURN(const int64_t min, options_.GetInt(prefix_ + "min", least, least, greatest));
      ASSIGN_OR_RETURN(const int64_t max,
                       options_.GetInt(prefix_ + "max", greatest, min, greatest));
      return Made<RandomInteger>(min, max);
    }
    if (type_.is_numeric()) return ReadReal();
    if (type_.is_string() || type_.is_binary()) return ReadText();
    if (type_.is_temporal()) {
      ASSIGN_OR_RETURN(const std::chrono::milliseconds past,
                       options_.GetDuration(prefix_ + "max-past", std::chrono::milliseconds(0)));
      if (past.count() > INT64_MAX / 2 / kMicrosPerMilli) {
        return InvalidArgument("'" + prefix_ + "max-past' is too long");
      }
      return Made<PastTime>(past.count() * kMicrosPerMilli);
    }
    if (type_.children) return ReadNested(row_count);
    return Unimplemented("random values of " + type_.ToString() + " are not supported");
  }

  Result<std::unique_ptr<FieldGenerator>> ReadReal() {
    double greatest = type_.kind == TypeKind::kFloat
                          ? static_cast<double>(std::numeric_limits<float>::max())
                          : std::numeric_limits<double>::max();
    if (type_.kind == TypeKind::kDecimal) {
      greatest = std::nextafter(std::pow(10.0, type_.precision - type_.scale), 0);
    }
    ASSIGN_OR_RETURN(const double min, ReadNumber("min", -greatest));
    ASSIGN_OR_RETURN(const double max, ReadNumber("max", greatest));
    if (!(min <= max)) return InvalidArgument("'" + prefix_ + "max' is less than 'min'");
    return Made<RandomReal>(min, max);
  }

  Result<double> ReadNumber(const char* name, double fallback) {
    const std::string key = prefix_ + name;
    const std::optional<std::string> text = options_.Find(key);
    if (!text) return fallback;
    const std::optional<double> number = ParseDouble(*text);
    if (!number || !std::isfinite(*number)) return NoNumber(key, *text);
    return *number;
  }

  Result<std::unique_ptr<FieldGenerator>> ReadText() {
    const bool is_fixed = type_.kind == TypeKind::kChar || type_.kind == TypeKind::kBinary;
    const bool is_endless = type_.precision == INT32_MAX;
    const int64_t longest = std::min<int64_t>(type_.precision, kGeneratedLengthMax);
    ASSIGN_OR_RETURN(
        const int64_t length,
        options_.GetInt(
            prefix_ + "length", is_endless ? 100 : longest, is_fixed ? longest : 0, longest));
    ASSIGN_OR_RETURN(const bool is_variable, options_.GetBool(prefix_ + "var-len", false));
    if (is_variable && is_fixed) {
      return InvalidArgument("'" + prefix_ + "var-len' is not for " + type_.ToString());
    }
    return Made<RandomText>(length, is_variable);
  }

  Result<std::unique_ptr<FieldGenerator>> ReadNested(std::optional<uint64_t>& row_count) {
    const bool is_row = type_.kind == TypeKind::kRow;
    int64_t length = 1;
    if (!is_row) {
      ASSIGN_OR_RETURN(length, options_.GetInt(prefix_ + "length", 3, 0, kGeneratedLengthMax));
    }
    Generators children;
    for (size_t i = 0; i < type_.children->size(); ++i) {
      const Field& child = (*type_.children)[i];
      const bool is_map = type_.kind == TypeKind::kMap;
      const std::string name = is_row ? child.name : !is_map ? "element" : i == 0 ? "key" : "value";
      ASSIGN_OR_RETURN(std::unique_ptr<FieldGenerator> generator,
                       MakeFieldGenerator(options_, prefix_ + name + ".", child.type, row_count));
      children.push_back(std::move(generator));
    }
    return Made<Nested>(std::move(children), length);
  }

  template <class Generator, class... Args>
  static std::unique_ptr<FieldGenerator> Made(Args&&... args) {
    return std::make_unique<Generator>(std::forward<Args>(args)...);
  }

  OptionReader& options_;
  const std::string prefix_;
  const DataType& type_;
};

}  // namespace

Result<std::unique_ptr<FieldGenerator>> MakeFieldGenerator(OptionReader& options,
                                                           const std::string& prefix,
                                                           const DataType& type,
                                                           std::optional<uint64_t>& row_count) {
  return FieldReader(options, prefix, type).Read(row_count);
}

}  // namespace slipstream::sql
