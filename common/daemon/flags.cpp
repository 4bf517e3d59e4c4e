#include "common/daemon/flags.h"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>

#include "common/log/format.h"
#include "common/tls/tls_dir.h"

namespace slipstream::daemon {
namespace {

constexpr const char* kConfigVariable = "SLIPSTREAM_CONFIG";

std::string VariableOf(const std::string& long_name) {
  std::string variable = "SLIPSTREAM_";
  for (char c : long_name) {
    variable.push_back(c == '-' ? '_'
                                : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return variable;
}

void BindEnvironment(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version" || name == "config") continue;
    option->envname(VariableOf(name));
  }
  for (CLI::App* subcommand : app.get_subcommands({}))
    BindEnvironment(*subcommand);
}

void AddProperty(const std::string& text,
                 std::vector<std::pair<std::string, std::string>>& properties) {
  const size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    throw CLI::ValidationError("--kafka-property", "a property is NAME=VALUE");
  }
  properties.emplace_back(text.substr(0, equals), text.substr(equals + 1));
}

// One, or a list of them: [NAME=VALUE,NAME=VALUE].
void AddProperties(const std::string& text,
                   std::vector<std::pair<std::string, std::string>>& properties) {
  if (!text.starts_with('[') || !text.ends_with(']')) return AddProperty(text, properties);
  for (const std::string& one : CLI::detail::split(text.substr(1, text.size() - 2), ',')) {
    if (!one.empty()) AddProperty(one, properties);
  }
}

}  // namespace

const char* Version() {
  return SLIPSTREAM_VERSION;
}

void AddLogFlags(CLI::App& app, DaemonFlags& flags) {
  app.add_option("--log-level", flags.log_level, "trace, debug, info, warn, error or off")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.add_option_function<std::string>(
         "--log-format",
         [](const std::string& format) {
           log::SetFormat(format == "json" ? log::Format::kJson : log::Format::kLogfmt);
         },
         "of the log's lines: logfmt, or json, an object a line")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->default_str("logfmt");
}

void AddTlsFlag(CLI::App& app, std::string& tls_dir) {
  app.add_option("--tls-dir",
                 tls_dir,
                 "folder with ca.pem and host.pem, which `slipstream certs` makes: everything that "
                 "goes between processes is encrypted, and both sides prove who they are")
      ->type_name("DIR")
      ->check(CLI::Validator(
          [](const std::string& directory) { return tls::CheckTlsDir(directory).message(); }, ""));
}

void AddKafkaPropertyFlag(CLI::App& app,
                          std::vector<std::pair<std::string, std::string>>& properties) {
  app.add_option_function<std::vector<std::string>>(
         "--kafka-property",
         [&properties](const std::vector<std::string>& texts) {
           properties.clear();
           for (const std::string& text : texts)
             AddProperties(text, properties);
         },
         "a setting for librdkafka, as in security.protocol=ssl; may be repeated. Secrets belong "
         "into the file of --config")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);  // what follows is not its own
}

void AddDaemonFlags(CLI::App& app, DaemonFlags& flags) {
  AddLogFlags(app, flags);
  app.add_option(
         "--admin-listen",
         flags.admin_listen,
         "HOST:PORT for /metrics, /livez, /readyz, /status and /loglevel; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--endpoint-file",
                 flags.endpoint_file,
                 "file that names the addresses listened on, written once ready");
  app.add_flag("--insecure",
               flags.insecure,
               "allow addresses that other machines can reach, without encryption or login");
}

std::optional<int> ParseFlags(CLI::App& app, int argc, const char* const* argv) {
  // What usage and errors call the process: as it was called, without the folder.
  if (app.get_name().empty() && argc > 0) {
    app.name(std::filesystem::path(argv[0]).filename().string());
  }
  app.set_version_flag("--version", app.get_name() + " " + Version());
  const char* config = std::getenv(kConfigVariable);
  app.set_config("--config", config != nullptr ? config : "", "file of options, in TOML")
      ->type_name("FILE");
  app.allow_config_extras(CLI::config_extras_mode::error);
  BindEnvironment(app);
  try {
    // CLI11 passes over a missing file unless the command line named it.
    if (config != nullptr && *config != '\0' && !std::filesystem::is_regular_file(config)) {
      throw CLI::FileError::Missing(config);
    }
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return kExitDone;
  } catch (const CLI::CallForAllHelp&) {
    std::cout << app.help("", CLI::AppFormatMode::All);
    return kExitDone;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return kExitDone;
  } catch (const CLI::ConfigError& error) {
    std::cerr << app.get_name() << ": unknown option in the config file: " << error.what() << '\n';
    return kExitUsage;
  } catch (const CLI::ParseError& error) {
    std::cerr << app.get_name() << ": " << error.what() << " (see --help)\n";
    return kExitUsage;
  }
  return std::nullopt;
}

}  // namespace slipstream::daemon
