#include "common/access/process_user.h"

#include <unistd.h>

#include <cstdlib>
#include <vector>

#include <pwd.h>

namespace slipstream::access {
namespace {

constexpr size_t kEntryBytes = size_t{64} << 10;

}  // namespace

std::string UserOfProcess() {
  std::vector<char> memory(kEntryBytes);
  passwd entry{};
  passwd* found = nullptr;
  const uid_t id = geteuid();
  if (getpwuid_r(id, &entry, memory.data(), memory.size(), &found) == 0 && found != nullptr) {
    return entry.pw_name;
  }
  return std::to_string(id);
}

std::string ActingUser() {
  const char* name = std::getenv("HADOOP_USER_NAME");
  return name != nullptr && *name != '\0' ? name : UserOfProcess();
}

}  // namespace slipstream::access
