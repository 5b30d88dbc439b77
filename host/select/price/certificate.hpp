// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Conversion between the options of selection and the flat ones of the price solver. Owns: how a
// plan of one reads in the other, and the form of certificates.
#pragma once

#include <vector>

#include "host/select/price/model/assignment.hpp"
#include "host/select/price/proof/restricted_search.hpp"
#include "tonnage/host/price_selection.hpp"

namespace tonnage::price {

// The plan of the published greedy selection. A dropped option is replaced by one that dominates
// it.
[[nodiscard]] Assignment greedy_assignment(const OptionTable& from, const Table& table);

// Cost of a plan, cents/hour.
[[nodiscard]] double cost_of(const OptionTable& from, const Table& table,
                             const Assignment& assignment);

// The choices of a plan. Servers without one share the remaining cards as the options say.
[[nodiscard]] std::vector<Choice> choices_of(const OptionTable& from, const Table& table,
                                             const Assignment& assignment,
                                             const PriceOptions& options);

// Prices of a stage as certificates state them: finite, of classes per server served.
struct StatedPrices {
  std::vector<double> types, limits, classes;
};
[[nodiscard]] StatedPrices stated_prices(const Table& table, const Stage& stage,
                                         const Prices& prices);

// The certificate of a stage; `hopeless` servers, which no plan can serve, count as unserved.
[[nodiscard]] StageCertificate certificate(const Table& table, const Stage& stage,
                                           const Prices& prices, const Proof& proof,
                                           double hopeless);

}  // namespace tonnage::price
