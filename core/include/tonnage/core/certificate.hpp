// How far a selection is from the best one, stage by stage. Owns: the certificate that solvers
// fill, plans carry and verify recomputes.
#pragma once

#include <cstdint>
#include <vector>

namespace tonnage {

// One stage of the lexicographic order: the least number of unserved servers of a class with the
// classes above held at what they achieved, or, last, the least total value at those service
// levels.
struct StageCertificate {
  static constexpr std::int32_t kValueStage = 0;
  std::int32_t priority = kValueStage;
  double objective = 0;    // unserved servers, or cents/hour
  double lower_bound = 0;  // of this stage, given what the stages before achieved
  bool proven = false;     // objective is the least possible
  // What the prices below prove, for anyone to recompute: sum over servers of min(skip, min over
  // options of objective + (everything it takes * its price) - class_price[class]) - sum of price *
  // what there is + sum of class_price * served servers of the class; rounded up to whole servers.
  // `lower_bound`, unless a search proved more. Without prices it says nothing.
  double price_bound = 0;
  std::vector<double> type_prices;   // [types] >= 0, per card
  std::vector<double> limit_prices;  // [limits of the plan] >= 0, per unit of the limit
  std::vector<double> class_prices;  // [classes, ascending priority] >= 0, per server served
  double seconds = 0;

  friend bool operator==(const StageCertificate&, const StageCertificate&) = default;
};

}  // namespace tonnage
