// Queue problems as files: one replica described by a JSON object, or an array of them. Owns: the
// fields of problems and answers, and that every problem of every entry is reported at once. Rates
// in requests/s, times in ms. The format: docs/command-line.md.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tonnage/core/problem.hpp"
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

struct QueueOptions {
  // Shares the problems of an array among threads; the answers are the same.
  ParallelFor parallel_for;
  // Called now and then from any of them while a problem is worked on; what it throws ends the work
  // and is passed on.
  std::function<void()> check;
};

// Answers the problem in `text`, or each of an array in the same order; `name` is what diagnostics
// call the input. A problem whose numbers are legal but leave the range of a double is answered by
// the reason and warned about at its place; the others are not affected.
[[nodiscard]] QueueAnswer answer_queue_problems(QueueCommand command, std::string_view text,
                                                const std::string& name,
                                                const QueueOptions& options = {});

}  // namespace tonnage
