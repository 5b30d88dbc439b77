// Queue problems as files: one replica described by a JSON object, or an array of them. Owns: the
// fields of problems and answers, and that every problem of every entry is reported at once. Rates
// in requests/s, times in ms. The format: docs/file-format.md.
#pragma once

#include <string>
#include <string_view>

#include "tonnage/io/diagnostics.hpp"

namespace tonnage {

enum class QueueCommand {
  kSolve,     // metrics at the given rate
  kTarget,    // metrics at the largest rate within the targets
  kOptimize,  // the least concurrency with near-peak goodput within the targets
};

struct QueueAnswer {
  std::string json;  // empty when there are errors
  Diagnostics diagnostics;

  [[nodiscard]] bool ok() const noexcept { return !diagnostics.has_errors(); }
};

// Answers the problem in `text`, or each of an array in the same order; `name` is what diagnostics
// call the input.
[[nodiscard]] QueueAnswer answer_queue_problems(QueueCommand command, std::string_view text,
                                                const std::string& name);

}  // namespace tonnage
