#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "dfs-master/codec.h"

namespace slipstream::dfs::master {

// RequestContent: what a request asks for, as bytes in an order of its own: whether two requests
// under one id are the same (RetryTable).
class RequestContent final {
 public:
  explicit RequestContent(std::string_view operation) { out_.String(operation); }
  RequestContent& Add(std::string_view text) {
    out_.String(text);
    return *this;
  }
  RequestContent& Add(uint64_t number) {
    out_.Number(number);
    return *this;
  }
  template <class T>
  RequestContent& Add(const std::optional<T>& value) {
    out_.Number(value.has_value() ? 1 : 0);
    if (!value.has_value()) return *this;
    if constexpr (std::is_arithmetic_v<T>) return Add(static_cast<uint64_t>(*value));
    if constexpr (!std::is_arithmetic_v<T>) return Add(std::string_view(*value));
  }
  std::string Take() { return out_.Take(); }

 private:
  Encoder out_;
};

}  // namespace slipstream::dfs::master
