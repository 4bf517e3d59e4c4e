#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/status/status.h"
#include "processor/columns/column.h"
#include "processor/expr/expression.h"

namespace slipstream::sql {

struct AggregateSignature {
  std::vector<DataType> args;
  DataType result;
};

// AggregateFunction: one overload of an aggregate function, and what can be done with its states.
// Immutable, lives as long as the process.
//
// State       state_bytes() bytes that belong to the caller, aligned to 16; between Init and
//             Destroy they may own memory elsewhere.
// Determinism the result depends on the rows alone, not on how they were split into Update and
//             Merge calls; FIRST_VALUE, LAST_VALUE and LISTAGG depend on the rows' order too.
// Format      Save's bytes are described in docs/FORMATS.md, section "State".
class AggregateFunction {
 public:
  virtual ~AggregateFunction() = default;

  virtual std::string_view name() const = 0;
  virtual std::string usage() const = 0;
  // nullopt: these arguments are not for this overload.
  virtual std::optional<AggregateSignature> Bind(std::span<const ExpressionPtr> args) const = 0;

  virtual size_t state_bytes() const = 0;
  virtual void Init(std::byte* state) const = 0;
  virtual void Destroy(std::byte* state) const = 0;

  // For each i: row rows[i] of `args` goes into the state at states[i] + state_offset.
  virtual void Update(std::span<std::byte* const> states,
                      size_t state_offset,
                      std::span<const uint32_t> rows,
                      std::span<const Column> args) const = 0;
  // Whether the result depends on the order of the rows.
  virtual bool depends_on_order() const { return false; }
  // Of such: the same over rows that come in any order, with one more argument, BYTES that sort as
  // the rows were to come, no two alike. nullptr: there is none.
  virtual const AggregateFunction* ordered() const { return nullptr; }
  // Whether a state takes more memory the more rows went into it.
  virtual bool grows() const { return false; }

  // Whether rows that went into a state can be taken out again, by Retract.
  virtual bool can_retract() const { return false; }
  virtual void Retract(std::span<std::byte* const> states,
                       size_t state_offset,
                       std::span<const uint32_t> rows,
                       std::span<const Column> args) const;
  // What `from` has seen counts as seen after what `into` has.
  virtual void Merge(std::byte* into, const std::byte* from) const = 0;
  // Appends the result to `out`, whose type is the call's.
  virtual void Finish(const std::byte* state, Column& out, Arena& arena) const = 0;

  virtual void Save(const std::byte* state, std::string& to) const = 0;
  // Into a fresh state; takes the bytes off the front of `from`. kDataLoss: they are damaged.
  virtual Status Restore(std::byte* state, std::string_view& from) const = 0;
};

// The overloads of `name` (upper case) in the order they are tried; empty: there is none.
std::vector<const AggregateFunction*> FindAggregates(std::string_view name);
std::vector<std::string> AggregateNames();

}  // namespace slipstream::sql
