// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Certificates: how far a selection is at most from the optimum, stage by stage. Solvers fill them,
// plans carry them, verify recomputes them.
#pragma once

#include <cstdint>
#include <vector>

namespace tonnage {

// One stage of the lexicographic order. A counting stage minimises the unserved servers of one
// class, with the levels of higher classes held. The last stage minimises the total value at all
// these levels.
struct StageCertificate {
  static constexpr std::int32_t kValueStage = 0;
  std::int32_t priority = kValueStage;
  double objective = 0;    // unserved servers, or cents/hour
  double lower_bound = 0;  // of this stage, given what the stages before achieved
  bool proven = false;     // objective is the least possible
  // Lagrangian bound of the stage at the prices below, for anyone to recompute: sum over servers of
  // min(skip, min over options of objective + (resources taken * price) - class_price[class]) - sum
  // of price * capacity + sum of class_price * served servers of the class; rounded up to whole
  // servers in counting stages. Equals `lower_bound` unless a search proved more. Meaningless
  // without prices.
  double price_bound = 0;
  std::vector<double> type_prices;   // [types] >= 0, per card
  std::vector<double> limit_prices;  // [limits of the plan] >= 0, per unit of the limit
  std::vector<double> class_prices;  // [classes, ascending priority] >= 0, per server served
  double seconds = 0;

  friend bool operator==(const StageCertificate&, const StageCertificate&) = default;
};

}  // namespace tonnage
