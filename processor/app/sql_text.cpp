#include "processor/app/sql_text.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace slipstream::processor {
namespace {

constexpr uintmax_t kFileBytesMax = 1 << 20;

}  // namespace

Result<std::string> ReadSqlFile(const std::string& path) {
  std::error_code error;
  uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) return ErrnoStatus(error.value(), path);
  if (bytes > kFileBytesMax) return InvalidArgument(path + ": larger than 1 MiB");
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<size_t>(bytes), '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(bytes))) {
    return ErrnoStatus(EIO, "read " + path);
  }
  return text;
}

Status LoadCatalogs(const JobFlags& flags, sql::Planner& planner) {
  for (const std::string& path : flags.catalogs) {
    ASSIGN_OR_RETURN(std::string text, ReadSqlFile(path));
    RETURN_IF_ERROR(planner.LoadCatalog(path, text));
  }
  return {};
}

Result<sql::JobPlan> PlanFile(const JobFlags& flags, const std::string& file, bool is_bounded) {
  sql::Planner planner({.every_input_is_bounded = is_bounded,
                        .settings = {flags.settings.begin(), flags.settings.end()}});
  RETURN_IF_ERROR(LoadCatalogs(flags, planner));
  ASSIGN_OR_RETURN(std::string text, ReadSqlFile(file));
  return planner.Plan(file, text);
}

std::string JobName(const sql::Options& settings, const std::string& file) {
  const auto setting = settings.find("pipeline.name");
  if (setting != settings.end()) return setting->second;
  return std::filesystem::path(file).stem().string();
}

}  // namespace slipstream::processor
