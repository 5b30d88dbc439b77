// What planning works out before anything is described: the options of every server, what limits
// share out, and what was selected.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/core/problem.hpp"
#include "tonnage/host/planner.hpp"
#include "tonnage/host/price_selection.hpp"
#include "tonnage/host/selection.hpp"

namespace tonnage {

// What a limit of the file shares out, counted in whole units.
struct Limit {
  enum class Kind { kCost, kPower, kChanges };
  Kind kind;
  double amount;  // cents/hour, watts, servers
  double unit;    // of the counts in OptionTable, in the same measure

  [[nodiscard]] std::string_view name() const;  // as in files
};

// What an option takes of a limit that is as much as this or more, which no limit offers.
inline constexpr std::int64_t kBeyondLimits = 2'000'000'000'000;

// The options that a plan is selected from.
struct Offers {
  OptionTable table;
  std::vector<Limit> limits;  // one for each of OptionTable::limits
};

struct Planning {
  Problem problem;
  SearchResult found;
  OptionTable table;
  std::vector<Limit> limits;
  Solver solver = Solver::kAuto;  // the one that ran
  std::string backend;
  Selection selection;  // certificates and prices only where the solver knows them
  double evaluation_s = 0;
  double selection_s = 0;
};

// What the choices leave of every resource, types first, then limits; below 0 where capacity did
// not count.
[[nodiscard]] std::vector<std::int64_t> left_by(const OptionTable& table,
                                                const std::vector<Choice>& choices);

// What an option is, for people: "2 x H100".
[[nodiscard]] std::string option_name(const Planning& planning, const Option& option);

[[nodiscard]] Planning run_planning(const System& system, const OptimizerSpec& optimizer,
                                    const PlannerOptions& options);

// The options of all feasible lines: `outcomes` get their spare replicas, capacities leave out the
// headroom (and are boundless where the file says so), objectives are weighted, and options take
// from limits. A partial allocation counts as drawing full power. With mixes, where the file allows
// them, for which progress is reported.
[[nodiscard]] Offers offer_options(const Problem& problem, const OptimizerSpec& optimizer,
                                   std::vector<LineOutcome>& outcomes, bool with_mixes,
                                   int num_threads, const ProgressCallback& progress = {});

// What selection minimises of an allocation whose accelerators draw `power_w`; `moves`: it is on
// another accelerator than the current one.
[[nodiscard]] double weighted_objective(const OptimizerSpec& optimizer, const ServerRow& server,
                                        bool moves, double value, double cost, double power_w);

// Whether an allocation is another than the current one: of another accelerator or replica count.
[[nodiscard]] bool is_change(const ServerRow& server, std::int32_t accelerator,
                             std::int64_t replicas);

// The rows of a system, built by several threads (0: one per processor).
[[nodiscard]] Problem build_rows(const System& system, int num_threads);

[[nodiscard]] SearchOptions search_options(const PlannerOptions& options);

}  // namespace tonnage
