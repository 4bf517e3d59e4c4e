#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/status/status.h"
#include "processor/columns/batch.h"
#include "processor/types/data_type.h"

namespace slipstream::sql {

// ResultRenderer: the rows of a query as text for people or programs.
//   table  columns in a frame, numbers to the right; needs all rows before it gives the first
//   json   one object a line, as the JSON format writes them
//   csv    a line of names, then RFC 4180 with "\n"; NULL is an empty field, text that is empty ""
// Threads: one at a time.
class ResultRenderer {
 public:
  using Write = std::function<void(std::string_view)>;

  // kInvalidArgument: no such format.
  static Result<std::unique_ptr<ResultRenderer>> Create(std::string_view format,
                                                        const Schema& schema,
                                                        Write write);
  virtual ~ResultRenderer() = default;

  virtual void Rows(const Batch& batch) = 0;
  virtual void End() = 0;
};

}  // namespace slipstream::sql
