// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Queue problems as files: one replica described by a JSON object, or an array of such objects.
// Owns: the fields of problems and answers (docs/command-line.md), and the reporting of all
// mistakes at once. Rates in requests/s, times in ms.
//
// Example:
//   const char* problem = R"({"alpha": 12, "beta": 0.02, "gamma": 2e-5, "maxBatchSize": 48,
//                            "maxQueueSize": 128, "avgInputTokens": 128, "avgOutputTokens": 512,
//                            "RPS": 2})";
//   const tonnage::QueueAnswer answer =
//       tonnage::answer_queue_problems(tonnage::QueueCommand::kSolve, problem, "example");
//   std::puts(answer.ok() ? answer.json.c_str() : answer.diagnostics.to_text().c_str());
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
  // Runs the problems of an array in parallel; the answers do not depend on it.
  ParallelFor parallel_for;
  // Called now and then from any thread during long work. An exception ends the work and is passed
  // on.
  std::function<void()> check;
};

// Answers the problem in `text`, or every problem of an array in the same order. `name` names the
// input in diagnostics. A valid problem whose rates leave the range of a double gets a reason in
// place of an answer and a warning with its place; the others are not affected.
[[nodiscard]] QueueAnswer answer_queue_problems(QueueCommand command, std::string_view text,
                                                const std::string& name,
                                                const QueueOptions& options = {});

}  // namespace tonnage
