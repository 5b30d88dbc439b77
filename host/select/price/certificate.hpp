// Between the options as selection knows them and the flat ones of the price solver. Owns: how a
// plan of the one reads in the other, and how proofs are stated.
#pragma once

#include <vector>

#include "host/select/price/model/assignment.hpp"
#include "host/select/price/proof/restricted_search.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage::price {

// The plan of the published greedy; an option that was dropped gives way to the one that beats it.
[[nodiscard]] Packing greedy_packing(const OptionTable& from, const Table& table);

// Cost of a plan, cents/hour.
[[nodiscard]] double cost_of(const OptionTable& from, const Table& table, const Packing& packing);

// The choices of a plan; whom it leaves out share the cards left over as the options say.
[[nodiscard]] std::vector<Choice> choices_of(const OptionTable& from, const Table& table,
                                             const Packing& packing, const PriceOptions& options);

// Prices of a stage as certificates state them: finite, of classes per server served.
struct StatedPrices {
  std::vector<double> types, limits, classes;
};
[[nodiscard]] StatedPrices stated_prices(const Table& table, const Stage& stage,
                                         const Prices& prices);

// What a stage proves, `hopeless` unserved servers beyond its players included.
[[nodiscard]] StageCertificate certificate(const Table& table, const Stage& stage,
                                           const Prices& prices, const Proof& proof,
                                           double hopeless);

}  // namespace tonnage::price
