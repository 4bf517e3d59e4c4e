#pragma once

namespace slipstream::sql {

// The options of 'format' = 'json', with Flink's defaults.
struct JsonOptions {
  enum class TimestampFormat {
    kSql,      // "yyyy-MM-dd HH:mm:ss[.fraction]", TIMESTAMP_LTZ with a 'Z' behind it
    kIso8601,  // the same with 'T' in the middle
  };

  bool fail_on_missing_field = false;
  bool ignore_parse_errors = false;
  TimestampFormat timestamp_format = TimestampFormat::kSql;
  bool ignore_null_fields = false;  // when encoding
};

}  // namespace slipstream::sql
