#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json.hpp>

#include "common/check/check.h"
#include "dfs-client/path.h"
#include "gateway/http/uri.h"
#include "gateway/user_name.h"
#include "gateway/webhdfs/handler.h"
#include "gateway/webhdfs/operations.h"
#include "gateway/webhdfs/parameters.h"
#include "gateway/webhdfs/redirect.h"
#include "tests/fuzz/input_reader.h"
#include "tests/fuzz/target.h"

// A request to the gateway behind Beast's parser: verb, host, path and query. No path leads out of
// the tree, nothing of it becomes a header, and what is sent back in a redirect is read the same.

namespace slipstream::fuzz {
namespace {

namespace http = gateway::http;
namespace webhdfs = gateway::webhdfs;

void CheckQuery(std::string_view text) {
  const Result<http::Query> query = http::ParseQuery(text);
  if (!query.ok()) return;
  SLIPSTREAM_CHECK(query->size() <= http::kQueryParametersMax, "{} parameters", query->size());
  const Result<http::Query> again = http::ParseQuery(http::EncodeQuery(*query));
  SLIPSTREAM_CHECK(again.ok() && *again == *query, "read again it is another");
}

void CheckParameters(const webhdfs::Parameters& parameters) {
  for (const char* name : {"offset", "length", "permission", "recursive", "destination", "x"}) {
    if (const auto number = parameters.Number(name, -1, 1'000); number.ok() && *number) {
      SLIPSTREAM_CHECK(**number >= -1 && **number <= 1'000, "{}", **number);
    }
    if (const auto mode = parameters.Permission(name); mode.ok() && *mode) {
      SLIPSTREAM_CHECK(**mode <= 01777, "{}", **mode);
    }
    (void)parameters.Boolean(name, true);
  }
  if (const auto user = gateway::UserOf(parameters.query(), "eve"); user.ok()) {
    const auto home = dfs::NormalizePath("/user/" + *user);
    SLIPSTREAM_CHECK(home.ok() && *home == "/user/" + *user, "a home that is elsewhere");
  }
}

void CheckRedirect(const webhdfs::Parameters& parameters,
                   const std::string& path,
                   std::string_view host) {
  const webhdfs::Call call{.parameters = parameters,
                           .path = path,
                           .user = "a",
                           .authority = http::IsHost(host) ? std::string(host) : "h:1",
                           .remote = ""};
  const std::string url = webhdfs::DataUrl(call);
  SLIPSTREAM_CHECK(http::IsHeaderText(url), "a header in a redirect");
  const std::string prefix = "http://" + call.authority + "/webhdfs/v1";
  SLIPSTREAM_CHECK(url.starts_with(prefix), "leads elsewhere");
  const std::string_view rest = std::string_view(url).substr(prefix.size());
  const size_t mark = rest.find('?');
  const auto decoded = http::PercentDecode(rest.substr(0, mark), http::Plus::kIsPlus);
  SLIPSTREAM_CHECK(decoded.ok() && *decoded == path, "another path");
  const auto query = webhdfs::Parameters::Parse(rest.substr(mark + 1));
  if (query.ok()) {
    SLIPSTREAM_CHECK(query->Boolean("data", false).value_or(false), "no data request");
  }
}

void Run(std::string_view input) {
  static constexpr std::string_view kVerbs[] = {"GET", "PUT", "POST", "DELETE", "HEAD", "X"};
  InputReader reader(input);
  const std::string_view verb = reader.Pick(kVerbs);
  const std::string_view host = reader.Text();
  const std::string_view path = reader.Text();
  const std::string_view query = reader.Rest();

  CheckQuery(query);
  const Result<webhdfs::Parameters> parameters = webhdfs::Parameters::Parse(query);
  if (!parameters.ok()) return;
  CheckParameters(*parameters);
  const auto found = webhdfs::FindOperation(verb, parameters->Text("op").value_or(""));
  if (const auto* exception = std::get_if<webhdfs::RemoteException>(&found)) {
    SLIPSTREAM_CHECK(nlohmann::json::accept(exception->ToResponse().body), "not JSON");
  }
  const auto decoded = http::PercentDecode(path, http::Plus::kIsPlus);
  if (!decoded.ok()) return;
  const auto normal = dfs::NormalizePath(*decoded);
  if (!normal.ok()) return;
  SLIPSTREAM_CHECK((*normal + "/").find("/../") == std::string::npos, "a path upwards");
  CheckRedirect(*parameters, *normal, host);
}

std::vector<std::string> Seeds() {
  using std::string_literals::operator""s;
  return {"\0\4h:12\6/a%20bop=OPEN&offset=12&length=3&user.name=ann"s,
          "\1\0\2/aop=CREATE&overwrite=True&permission=755&replication=2&x=%0d%0a"s,
          "\1\7[::1]:1\10/%2e%2eaop=RENAME&destination=/b+c&renameoptions=OVERWRITE"s,
          "\2\0\1/op=APPEND&noredirect=true&data=true&doas=bob$&&=&="s,
          "\3\0\1/op=nonsense%ff"s};
}

}  // namespace

const Target kWebRequests{.name = "web_requests", .run = Run, .seeds = Seeds};

}  // namespace slipstream::fuzz
