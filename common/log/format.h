#pragma once

namespace slipstream::log {

enum class Format {
  kLogfmt,  // ts=… level=… logger=… thread=… event key=value …
  // {"ts":…,"level":…,"logger":…,"thread":…,"event":…,"key":"value",…}, an object a line. Values
  // are always text, so that a key has one type in whatever indexes them; what of a line is not
  // key=value stands whole under "text".
  kJson,
};

// How lines are written from now on, before Init() as well as after it. Thread-safe.
void SetFormat(Format format);

}  // namespace slipstream::log
