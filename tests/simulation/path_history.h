#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/scheduler.h"
#include "tests/simulation/tree_model.h"

namespace slipstream::simulation {

// PathHistory: what may have been found under each path, and when: for readers that look while
// others write.
class PathHistory final {
 public:
  // From now on `path` may hold any of `possible` (null: no file), and nothing else.
  void Set(const std::string& path, const std::vector<Content>& possible, Micros now);

  // Whether there was something under `path` at some moment of [from, until] that is as `is_seen`
  // says (null: no file).
  bool Allows(const std::string& path,
              Micros from,
              Micros until,
              const std::function<bool(const Content&)>& is_seen) const;

  // Every path that was ever set.
  const std::vector<std::string>& paths() const { return paths_; }

 private:
  struct Version {
    Content content;
    Micros from;
    Micros until;
  };
  std::map<std::string, std::vector<Version>> versions_;
  std::vector<std::string> paths_;
};

}  // namespace slipstream::simulation
