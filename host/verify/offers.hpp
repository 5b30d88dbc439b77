// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What plans may give to a server. Owns: verification's own list of allocations of one accelerator
// each and of combinations of two, made from the spec by trying everything that the rules name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "host/verify/rules.hpp"
#include "tonnage/core/evaluator.hpp"

namespace tonnage::verify {

// Replicas of one accelerator within an offer.
struct OfferPart {
  const Supply* supply = nullptr;
  std::int64_t replicas = 0;
  std::int64_t batch = 0;
};

// One allocation that plans may choose; without parts the empty one.
struct Offer {
  std::vector<OfferPart> parts;  // at most two, by name of the accelerator
  double cost = 0;               // cents/hour
  double power_w = 0;            // of the accelerators; 0 where the file asks for none
  Transition transition;
  double objective = 0;
};

// A server on one accelerator at the batch size it is planned with.
struct Line {
  const Supply* supply = nullptr;
  std::int64_t batch = 0;
  double goodput_per_ms = 0;  // of a replica at its largest rate within the targets
  std::int64_t needed = 0;    // replicas that the whole load needs, the minimum included
};

// Reads a fleet once and answers for its servers, from several threads at a time.
class Offers {
 public:
  Offers(const System& system, const OptimizerSpec& optimizer, BatchMode batch);

  // Everything a plan may give to the server whole. Offers refer to figures that live here.
  [[nodiscard]] std::vector<Offer> of(const Demand& demand) const;

 private:
  [[nodiscard]] std::vector<const Supply*> supplies_of(const Demand& demand) const;
  [[nodiscard]] std::vector<Line> lines_of(const Demand& demand) const;
  // The batch size of a server under load on an accelerator, and what it needs there. With kMax the
  // ceiling; with kSearch, of all batch sizes up to it, the smallest of those that need the fewest
  // replicas. False where no batch size keeps the targets.
  [[nodiscard]] bool find_line(const Demand& demand, const Supply& supply, Line& line) const;
  [[nodiscard]] Offer alone(const Demand& demand, const OfferPart& part) const;

  const System& system_;
  OptimizerSpec optimizer_;
  BatchMode batch_;
  // Up to this ceiling every batch size is tried. Above it core's search by bounds, which sizes a
  // few dozen, takes its place: a million tries of a million steps are hours.
  std::int64_t every_batch_ = 0;
  std::map<std::string, std::vector<Supply>, std::less<>> supplies_;  // by model
};

// The combinations of two of these lines (offered_mixes.cpp). `num_servers` are in the fleet.
[[nodiscard]] std::vector<Offer> offered_mixes(const OptimizerSpec& optimizer, const Demand& demand,
                                               std::vector<Line> lines, std::int64_t num_servers);

}  // namespace tonnage::verify
