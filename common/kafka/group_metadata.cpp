#include "common/kafka/group_metadata.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "common/kafka/client.h"

namespace slipstream::kafka {
namespace {

Result<std::string> TakeString(std::string_view& rest) {
  size_t end = rest.find('\0');
  if (end == std::string_view::npos) return DataLoss("group metadata: cut short");
  std::string text(rest.substr(0, end));
  rest.remove_prefix(end + 1);
  return text;
}

std::shared_ptr<const rd_kafka_consumer_group_metadata_s> Own(
    rd_kafka_consumer_group_metadata_s* handle) {
  return {handle, [](const rd_kafka_consumer_group_metadata_s* owned) {
            rd_kafka_consumer_group_metadata_destroy(
                const_cast<rd_kafka_consumer_group_metadata_s*>(owned));
          }};
}

}  // namespace

Result<GroupMetadataFields> ParseGroupMetadata(std::string_view serialised) {
  constexpr std::string_view kMagic = "CGMDv2:";
  GroupMetadataFields fields;
  if (!serialised.starts_with(kMagic)) return DataLoss("group metadata: unknown version");
  serialised.remove_prefix(kMagic.size());
  if (serialised.size() < sizeof(fields.generation)) return DataLoss("group metadata: cut short");
  std::memcpy(&fields.generation, serialised.data(), sizeof(fields.generation));
  serialised.remove_prefix(sizeof(fields.generation));
  ASSIGN_OR_RETURN(fields.group_id, TakeString(serialised));
  ASSIGN_OR_RETURN(fields.member_id, TakeString(serialised));
  return fields;
}

Result<GroupMetadata> GroupMetadata::Take(rd_kafka_consumer_group_metadata_s* handle) {
  if (handle == nullptr) return Aborted("group metadata: not a member of the group");
  GroupMetadata metadata;
  metadata.handle_ = Own(handle);
  void* bytes = nullptr;
  size_t size = 0;
  Holder<rd_kafka_error_t> error(rd_kafka_consumer_group_metadata_write(handle, &bytes, &size));
  if (error != nullptr) return FromError(*error, "group metadata");
  Result<GroupMetadataFields> fields = ParseGroupMetadata({static_cast<const char*>(bytes), size});
  std::free(bytes);
  if (!fields.ok()) return fields.status();
  if (fields->member_id.empty() || fields->generation < 0) {
    return Aborted(fmt::format("group metadata: no member (member={} generation={})",
                               fields->member_id,
                               fields->generation));
  }
  metadata.member_id_ = std::move(fields->member_id);
  metadata.generation_ = fields->generation;
  return metadata;
}

GroupMetadata GroupMetadata::OfEmptyGroup(const std::string& group_id) {
  GroupMetadata metadata;
  metadata.handle_ = Own(rd_kafka_consumer_group_metadata_new(group_id.c_str()));
  return metadata;
}

}  // namespace slipstream::kafka
