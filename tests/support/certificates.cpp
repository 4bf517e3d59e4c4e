#include "tests/support/certificates.h"

#include "tests/support/process.h"
#include "tests/support/test_environment.h"

namespace slipstream::test_support {

Status Certificates::Make(const std::vector<std::string>& args) const {
  std::error_code ignored;  // what is missing shows below
  std::filesystem::create_directories(folder_, ignored);
  std::vector<std::string> all = {"--dir", folder_.string()};
  all.insert(all.end(), args.begin(), args.end());
  ASSIGN_OR_RETURN(const ToolResult result,
                   RunTool({.program = SourceDir() / "deploy/certs/slipstream-certs",
                            .args = std::move(all),
                            .environment = {},
                            .dir = folder_}));
  if (result.exit.code == 0) return {};
  return FailedPrecondition("slipstream certs: " + result.err);
}

}  // namespace slipstream::test_support
