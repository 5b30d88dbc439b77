#include "price_exact.hpp"

#include <algorithm>
#include <cmath>

#include "exact_choice.hpp"

namespace tonnage::price {
namespace {

// Bounds of a search that was cut short come from floating-point linear programs.
constexpr double kSearchTolerance = 1e-7;

class Rest {
 public:
  Rest(const Table& table, const Stage& stage, const Prices& prices, bool counts,
       const Packing& packing)
      : table_(table), stage_(stage), prices_(prices), counts_(counts), packing_(packing) {
    for (std::int32_t t = 0; t < table.num_types; ++t) model.capacity.push_back(packing.left(t));
    model.first.push_back(0);
    model.least_served.assign(static_cast<std::size_t>(stage.num_classes), 0);
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      if (stage.may_skip[k] == Stage::kNoLimit) continue;
      // Players outside the model keep what they have.
      model.least_served[k] = packing.skipped(k) - stage.may_skip[k];
    }
  }

  // Adds every player with a choice among options whose regret is at most `slack`; false as soon as
  // there are more than `max_options` of those.
  bool add_players(double slack, std::size_t max_options) {
    std::vector<std::int64_t> open;
    for (std::int64_t p = 0; p < packing_.num_players(); ++p) {
      const double skip = prices_.skip[table_.class_of[p]];
      const double least =
          std::min(skip, cheapest_option(table_, stage_.value_weight, prices_.type, p).cost);
      const std::int64_t now = packing_.option_of(p);
      open.clear();
      bool choice = now != Packing::kNone && skip - least <= slack;
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) {
        const FlatOption& option = table_.options[o];
        const double cost =
            stage_.value_weight * option.value + option.cards * prices_.type[option.type];
        if (o == now) {
          open.push_back(o);
        } else if (cost - least <= slack) {
          open.push_back(o);
          choice = true;
        }
      }
      if (!choice) continue;
      if (source.size() + open.size() > max_options) return false;
      add(p, now, open);
    }
    return true;
  }

  ChoiceModel model;
  std::vector<std::int64_t> players, source, start;

 private:
  void add(std::int64_t player, std::int64_t now, const std::vector<std::int64_t>& open) {
    const std::int32_t rank = table_.class_of[player];
    double dearest = 0;
    start.push_back(-1);
    for (const std::int64_t o : open) {
      const FlatOption& option = table_.options[o];
      if (o == now) start.back() = static_cast<std::int64_t>(source.size());
      source.push_back(o);
      model.objective.push_back(counts_ ? 0 : option.value);
      model.cards.push_back(option.whole_cards());
      model.type.push_back(option.type < table_.num_types ? option.type : -1);
      dearest = std::max(dearest, model.objective.back());
    }
    if (now != Packing::kNone) {
      const FlatOption& option = table_.options[now];
      if (option.type < table_.num_types) model.capacity[option.type] += option.whole_cards();
    }
    if (now != Packing::kNone && stage_.may_skip[rank] != Stage::kNoLimit) {
      ++model.least_served[rank];
    }
    model.first.push_back(static_cast<std::int64_t>(source.size()));
    model.item_class.push_back(rank);
    // Where everybody must be served nobody should be tempted to go without.
    model.skip_objective.push_back(stage_.is_forced(rank) ? dearest : stage_.skip_cost[rank]);
    players.push_back(player);
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  bool counts_;
  const Packing& packing_;
};

}  // namespace

void solve_rest(const Table& table, const Stage& stage, const Prices& prices, bool counts,
                std::size_t max_options, std::int64_t max_nodes, Packing& packing, Proof& proof) {
  // In a better plan no player's regret exceeds what lies between that plan and the bound.
  const double gap = proof.objective - proof.bound;
  const double slack = counts ? gap - 1 + 1e-6 : gap * (1 + 1e-9);
  if (slack < 0) return;
  Rest rest(table, stage, prices, counts, packing);
  if (!rest.add_players(slack, max_options)) return;
  if (rest.players.empty()) {
    proof.bound = proof.objective;
    proof.from_prices = false;
    return;
  }
  ExactLimits limits;
  limits.max_nodes = max_nodes;
  limits.absolute_gap = counts ? 1 - 1e-6 : 0;
  const ChoiceAnswer answer = solve_exactly(rest.model, limits, rest.start);
  if (!answer.feasible) return;
  double before = 0;
  for (std::size_t i = 0; i < rest.players.size(); ++i) {
    before +=
        rest.start[i] < 0 ? rest.model.skip_objective[i] : rest.model.objective[rest.start[i]];
  }
  if (answer.objective < before) {
    Packing next = packing;
    for (std::size_t i = 0; i < rest.players.size(); ++i) {
      next.put(rest.players[i],
               answer.chosen[i] < 0 ? Packing::kNone : rest.source[answer.chosen[i]]);
    }
    if (next.is_feasible() && is_better(table, next, packing)) packing = std::move(next);
  }
  const double objective =
      counts ? static_cast<double>(packing.skipped(stage.num_classes - 1)) : packing.value(table);
  const double others = proof.objective - before;
  double bound = objective;
  if (!answer.proven) {
    bound = std::min(bound, others + answer.bound -
                                kSearchTolerance * (1 + std::abs(others) + std::abs(answer.bound)));
  }
  proof.objective = objective;
  if (bound > proof.bound) {
    proof.bound = bound;
    proof.from_prices = false;
  }
}

}  // namespace tonnage::price
