// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Explanations of a plan as data: the options of a server, and why one of them was chosen. Owns:
// the result type that the explainer fills and that files and tables show.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tonnage {

// One way to serve a server whole, compared with the chosen one.
struct ExplainedOption {
  std::string name;         // "2 x H100", "1 x A100 + 3 x L4", "the empty allocation"
  std::string accelerator;  // empty: the empty allocation; joined where several are combined
  std::string type;         // the same
  std::int64_t num_replicas = 0;
  std::int64_t max_batch = 0;
  std::int64_t cards = 0;
  double cost = 0;       // cents/hour
  double value = 0;      // transition penalty
  double objective = 0;  // what selection minimises: the value where no weights are set
  // The objective plus the resources taken at the prices of the plan, where the solver has prices.
  std::optional<double> priced_value;
  std::int64_t cards_lacking = 0;  // cards short, if the server gives up its present ones
  std::string lack;                // those cards by type, in words
  std::string limits_broken;       // what it would take of limits beyond what is left
  bool chosen = false;
  std::string note;  // a clause: why, or why not
};

struct Explanation {
  std::string server;
  int priority = 0;
  std::string outcome;                   // what it got: "2 x H100", "nothing", ...
  std::string reason;                    // why, in a sentence
  std::vector<std::string> would_help;   // what it would take to serve it, the least first
  std::vector<ExplainedOption> options;  // by value, then accelerator
};

}  // namespace tonnage
