// Combinations of two accelerators for one server. Owns: which combinations are offered, and what
// they are worth.
#pragma once

#include <cstdint>
#include <vector>

#include "host/options/offers.hpp"

namespace tonnage {

// A mix with everything that options state of it.
struct OfferedMix {
  Mix mix;
  double value;
  double cost;
  double power_w;  // of the accelerators
  double objective;
  bool changed;  // than the current allocation
};

// Combines the answers of lines (goodput per replica; with `spares` in their counts). A mix has for
// some replicas of one accelerator the fewest of the other that the rest of the load needs, and the
// spares of the file on the one with the larger goodput: any so many replicas may fail. Offered are
// those of the accelerators cheapest per goodput (most_combined_accelerators, and fewer where power
// counts and batches are very large), up to 16 splits of each pair, but none that another beats in
// objective and cards of both types.
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
  // Leaves the cheapest of those that there are too many of.
  void keep_affordable(std::vector<Line>& lines) const;
  // How many of the first may be combined with each other.
  [[nodiscard]] std::size_t num_affordable(const std::vector<Line>& lines) const;
  [[nodiscard]] static std::int64_t splits_of(const Line& a, const Line& b);
  void add(std::int64_t server, const Line& a, const Line& b, std::vector<OfferedMix>& mixes) const;
  // Moves mixes of the same types to those kept.
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

// Transition penalty of a mix, and whether it is another than the current allocation.
struct MixTransition {
  double value;
  bool same_accelerators;
  bool changed;
};
[[nodiscard]] MixTransition mix_transition(const Problem& problem, const Mix& mix, double cost);

// What the parts of a mix see: the load goes to them by goodput.
[[nodiscard]] std::array<PartMetrics, 2> mix_metrics(const Problem& problem,
                                                     const std::vector<LineOutcome>& outcomes,
                                                     const Mix& mix);

}  // namespace tonnage
