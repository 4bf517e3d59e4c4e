#pragma once

#include <span>
#include <string_view>

namespace slipstream::gateway::dashboard {

// A file of the dashboard, compiled into the binary.
struct Asset {
  std::string_view name;  // "app.js"
  std::string_view content_type;
  std::string_view content;
};

// All of them, by name; generated (gateway/dashboard/CMakeLists.txt).
std::span<const Asset> Assets();

}  // namespace slipstream::gateway::dashboard
