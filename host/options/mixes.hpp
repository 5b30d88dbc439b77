// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Combinations of replicas on two accelerators for one server. Owns: which combinations are
// offered, and their cost, value and power.
#pragma once

#include <cstdint>
#include <vector>

#include "host/options/offers.hpp"

namespace tonnage {

// A mix with the fields that its option needs.
struct OfferedMix {
  Mix mix;
  double value;
  double cost;
  double power_w;  // of the accelerators
  double objective;
  bool changed;  // than the current allocation
};

// Builds the mixes of a server from the answers of its lines (goodput per replica; spares included
// in their counts). A mix has some replicas of one accelerator and the fewest of the other that
// carry the remaining load. The spare replicas of the file go to the one with the larger goodput,
// so that any that many replicas may fail. Candidates are the accelerators cheapest per goodput
// (most_combined_accelerators; fewer where power counts and batches are very large), with at most
// 16 splits of each pair. Mixes that another beats in objective and in cards of both types are
// dropped.
class MixOffers {
 public:
  MixOffers(const Problem& problem, const OptimizerSpec& optimizer,
            const std::vector<LineOutcome>& outcomes);

  // The mixes of one server, ascending in objective.
  [[nodiscard]] std::vector<OfferedMix> of(std::int64_t server) const;

 private:
  struct Line {
    std::int64_t line;
    std::int64_t alone;  // replicas that carry the load without another accelerator
    double goodput_per_ms;
    double cost;  // of a replica
  };
  [[nodiscard]] std::vector<Line> lines_of(std::int64_t server) const;
  // Keeps the cheapest lines if there are too many to combine.
  void keep_affordable(std::vector<Line>& lines) const;
  // How many of the first lines may be combined with each other.
  [[nodiscard]] std::size_t num_affordable(const std::vector<Line>& lines) const;
  [[nodiscard]] static std::int64_t splits_of(const Line& a, const Line& b);
  void add(std::int64_t server, const Line& a, const Line& b, std::vector<OfferedMix>& mixes) const;
  // Moves the undominated mixes of one pair of types to `kept`.
  void keep_undominated(std::vector<OfferedMix>& mixes, std::vector<OfferedMix>& kept) const;
  [[nodiscard]] const PerfRow& perf_of(std::int64_t line) const {
    return problem_.perfs[problem_.lines[line].perf];
  }

  const Problem& problem_;
  const OptimizerSpec& optimizer_;
  const std::vector<LineOutcome>& outcomes_;
  std::size_t most_lines_;
  double most_states_;  // of queues, where the power of every mix counts
};

// Transition penalty of a mix, and whether the mix differs from the current allocation.
struct MixTransition {
  double value;
  bool same_accelerators;
  bool changed;
};
[[nodiscard]] MixTransition mix_transition(const Problem& problem, const Mix& mix, double cost);

// Metrics of the parts of a mix. The load is split in proportion to goodput.
[[nodiscard]] std::array<PartMetrics, 2> mix_metrics(const Problem& problem,
                                                     const std::vector<LineOutcome>& outcomes,
                                                     const Mix& mix);

}  // namespace tonnage
