#include "tests/simulation/path_history.h"

#include <algorithm>

namespace slipstream::simulation {
namespace {

bool IsSame(const Content& a, const Content& b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a == b || *a == *b;
}

}  // namespace

void PathHistory::Set(const std::string& path, const std::vector<Content>& possible, Micros now) {
  auto [entry, is_new] = versions_.try_emplace(path);
  if (is_new) paths_.push_back(path);
  std::vector<Version>& versions = entry->second;
  for (Version& version : versions) {
    const bool stays = std::any_of(possible.begin(), possible.end(), [&](const Content& content) {
      return IsSame(content, version.content);
    });
    if (version.until == Micros::max() && !stays) version.until = now;
  }
  for (const Content& content : possible) {
    const bool is_there = std::any_of(versions.begin(), versions.end(), [&](const Version& v) {
      return v.until == Micros::max() && IsSame(v.content, content);
    });
    if (!is_there) versions.push_back({.content = content, .from = now, .until = Micros::max()});
  }
}

bool PathHistory::Allows(const std::string& path,
                         Micros from,
                         Micros until,
                         const std::function<bool(const Content&)>& is_seen) const {
  auto found = versions_.find(path);
  if (found == versions_.end()) return is_seen(nullptr);
  return std::any_of(found->second.begin(), found->second.end(), [&](const Version& version) {
    return version.from <= until && version.until >= from && is_seen(version.content);
  });
}

}  // namespace slipstream::simulation
