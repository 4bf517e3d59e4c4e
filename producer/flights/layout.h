#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "producer/flights/flight.h"

namespace slipstream::producer {

// Layout: where a file keeps the fields of a flight. The layouts that are known:
//   nycflights13-21  the 21 fields themselves, with id and name
//   nycflights13-19  the R package's file: no id, no name
//   nycflights13-16  its first edition: no schedule either; it is actual minus delay
//   bts-29           BTS on-time performance as the 2009 Data Expo prepared it
//   bts-raw          BTS monthly downloads of 109 columns, each row with a comma at its end
//   kaggle-31        "2015 Flight Delays"
// A file with a header may have its columns in another order, fewer or more of them.
class Layout final {
 public:
  // The names above, in that order.
  static std::vector<std::string_view> Names();

  // The layout of a file whose first row this is: by name if it is a header, else by the number
  // of its fields. kInvalidArgument, saying what it saw, if it is neither.
  static Result<Layout> Recognise(std::span<const std::string_view> first_row);

  // The layout of that name; the first row says only whether it is a header.
  static Result<Layout> Named(std::string_view name, std::span<const std::string_view> first_row);

  std::string_view name() const { return name_; }
  bool has_header() const { return has_header_; }
  // How many fields a row has, apart from an empty one after a comma at its end.
  size_t columns() const { return columns_; }
  // The column of `field`, or -1.
  int column(Field field) const { return column_[static_cast<size_t>(field)]; }

 private:
  Layout() { column_.fill(-1); }

  std::string_view name_;
  bool has_header_ = false;
  size_t columns_ = 0;
  std::array<int16_t, kFieldCount> column_{};
};

}  // namespace slipstream::producer
