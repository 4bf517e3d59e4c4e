#pragma once

#include <string_view>

#include "common/status/status.h"

// The one place where librdkafka's error codes and our Status meet.

namespace slipstream::kafka {

// The status for a rd_kafka_resp_err_t other than 0; "context: librdkafka's words (NAME)".
//   kUnavailable          no broker answers, leader or coordinator is elsewhere, timed out
//   kNotFound             unknown topic, partition or group
//   kAlreadyExists        the topic exists
//   kAborted              this member or producer was replaced by another
//   kResourceExhausted    the send queue is full, a record is too large
//   kInvalidArgument      a bad configuration or record
//   kPermissionDenied     authorisation
Status StatusFromKafka(int error_code, std::string_view context);

}  // namespace slipstream::kafka
