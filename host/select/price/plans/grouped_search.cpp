// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The grouped search: groups interchangeable players, and solves an integer program with one
// variable per group and move.
#include "host/select/price/plans/grouped_search.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "host/select/price/plans/moves.hpp"
#include "host/select/price/plans/plan_maker.hpp"
#include "host/select/price/proof/restricted_search.hpp"
#include "host/select/solver/integer_program.hpp"

namespace tonnage::price {
namespace {

// Most ties per effect, and over all effects. Where prices distinguish hardly any options, linear
// programs over all of them take minutes.
constexpr std::size_t kMaxTies = 300, kMostTies = 12000;
// Moves of the first and of the last search of a growing series.
constexpr std::size_t kFirstMoves = 600, kLastMoves = 3200;
constexpr std::size_t kPerKind = 8;
constexpr double kFirstShare = 0.2;  // of what lies between plan and bound, for one move
constexpr double kProgress = 0.05;   // of what lies between plan and bound
constexpr double kTie = 1e-6;        // of the unit
constexpr double kStop = 0.2;        // of what is near
// Units by which a search may exceed a limit, if the plan does not exceed it by more; and the least
// price of a limit, as a share of the dearest.
constexpr double kMostExcess = 8, kLeastPrice = 1e-3;
// Factor on the penalty of excess from search to search.
constexpr double kExcessGrowth = 4;
// Further searches without gain that an infeasible plan is worth.
constexpr int kMorePatience = 1;
// Costs within one step of this factor form a group, unless they are ties.
constexpr double kStepsPerOctave = 4;

class AlikeSearch {
 public:
  AlikeSearch(const Table& table, const Stage& stage, const Prices& prices,
              const AlikeLimits& limits, Packing& packing)
      : table_(table),
        stage_(stage),
        prices_(prices),
        limits_(limits),
        packing_(packing),
        fall_(packing.num_players() > kLarge ? std::numeric_limits<double>::infinity()
                                             : limits.tie) {}

  AlikeResult run() {
    std::vector<Move> moves = list_moves();
    choose(moves);
    if (moves.empty()) return {false, true, 0};
    group(moves);
    const bool held = holds(packing_);
    const bool may_exceed = !held && limits_.excess > 0;
    if (may_exceed) add_excesses();
    ExactLimits exact;
    exact.absolute_gap = limits_.absolute_gap;
    exact.max_work = std::max<std::int64_t>(1, limits_.work);
    const std::vector<double> nobody(held ? program_.objective.size() : 0, 0.0);
    const IntegerAnswer answer = solve_integer_program(program_, exact, nobody);
    AlikeResult result;
    result.finished = answer.finished;
    result.work = answer.work;
    if (answer.x.empty()) return result;
    Packing next = packing_;
    apply(answer.x, next);
    if (may_exceed) {
      result.better = excess(next) < excess(packing_);
    } else {
      result.better = holds(next) && (!held || is_better(table_, next, packing_));
    }
    if (result.better) packing_ = std::move(next);
    return result;
  }

 private:
  // Players with the same moves, and the columns of how many make which.
  struct Group {
    std::vector<std::vector<Move>> members;  // the moves of each, in the order of the columns
    std::size_t first_column = 0;
  };

  [[nodiscard]] double cost(std::int64_t player, std::int64_t option) const {
    if (option == Packing::kNone) return prices_.skip[table_.class_of[player]];
    return table_.cost_of(table_.options[option], stage_.value_weight, prices_.resource);
  }
  // What a choice adds to the objective of the stage.
  [[nodiscard]] double worth(std::int64_t player, std::int64_t option) const {
    if (option == Packing::kNone) return stage_.skip_cost[table_.class_of[player]];
    return stage_.value_weight * table_.options[option].value;
  }

  [[nodiscard]] bool holds(const Packing& packing) const {
    return packing.is_feasible() && !falls_short(stage_, packing);
  }

  // What a plan has beyond what holds, at the prices of the rows.
  [[nodiscard]] double excess(const Packing& packing) const {
    double sum = 0;
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      sum += std::max(
          0.0, -row_price_[static_cast<std::size_t>(r)] * static_cast<double>(packing.left(r)));
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      if (row_of_class_[k] < 0) continue;
      sum += std::max(0.0, row_price_[static_cast<std::size_t>(row_of_class_[k])] *
                               static_cast<double>(packing.skipped(k) - stage_.may_skip[k]));
    }
    return sum;
  }

  // What an option takes, and of whom where the move is about service, as a number.
  [[nodiscard]] std::uint64_t trace(std::int64_t player, bool serves, std::int64_t option) const {
    std::uint64_t sum = serves ? 1 + static_cast<std::uint64_t>(table_.class_of[player]) : 0;
    if (option == Packing::kNone) return mixed(sum, 0);
    table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
      sum =
          mixed(mixed(sum, static_cast<std::uint64_t>(r) + 1), static_cast<std::uint64_t>(amount));
    });
    return sum;
  }

  [[nodiscard]] std::vector<Move> list_moves() const {
    CheapestMoves moves({kMaxTies, limits_.per_kind, limits_.tie, fall_});
    for (std::int64_t p = 0; p < packing_.num_players(); ++p) {
      const std::int64_t now = packing_.option_of(p);
      const double before = cost(p, now);
      const auto add = [&](std::int64_t to) {
        const double rise = cost(p, to) - before;
        if (to == now || !(rise <= limits_.max_rise)) return;
        const bool serves = now == Packing::kNone || to == Packing::kNone;
        moves.add(mixed(trace(p, serves, now), trace(p, serves, to)), {rise, p, to});
      };
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) add(o);
      if (!stage_.is_forced(table_.class_of[p])) add(Packing::kNone);
    }
    return moves.all();
  }

  [[nodiscard]] bool is_tie(const Move& m) const { return std::abs(m.rise) <= limits_.tie; }

  // Leaves the cheapest ties and the cheapest others.
  void choose(std::vector<Move>& moves) const {
    std::sort(moves.begin(), moves.end(), by_rise);
    std::size_t ties = 0, others = 0;
    std::erase_if(moves, [&](const Move& m) {
      const bool counts_as_tie = m.rise <= limits_.tie && -m.rise <= fall_;
      return counts_as_tie ? ++ties > kMostTies : ++others > limits_.max_moves;
    });
    std::sort(moves.begin(), moves.end(), by_player);
  }

  // Costs that count as equal have the same step.
  [[nodiscard]] std::int64_t step_of(const Move& m) const {
    if (is_tie(m)) return 0;
    const double steps = kStepsPerOctave * std::log2(std::abs(m.rise) / limits_.tie);
    const auto step = 1 + static_cast<std::int64_t>(std::lround(steps));
    return m.rise < 0 ? -step : step;
  }

  void group(const std::vector<Move>& moves) {
    std::map<std::vector<std::uint64_t>, std::size_t> index;
    for (std::size_t first = 0, last; first < moves.size(); first = last) {
      const std::int64_t p = moves[first].player;
      const std::int64_t now = packing_.option_of(p);
      bool serves = now == Packing::kNone;
      for (last = first; last < moves.size() && moves[last].player == p; ++last) {
        serves = serves || moves[last].to == Packing::kNone;
      }
      std::vector<std::uint64_t> menu{trace(p, serves, now)};
      for (std::size_t i = first; i < last; ++i) {
        menu.push_back(trace(p, serves, moves[i].to));
        menu.push_back(static_cast<std::uint64_t>(step_of(moves[i])));
      }
      const std::size_t at = index.try_emplace(std::move(menu), groups_.size()).first->second;
      if (at == groups_.size()) groups_.emplace_back();
      groups_[at].members.emplace_back(moves.begin() + static_cast<std::ptrdiff_t>(first),
                                       moves.begin() + static_cast<std::ptrdiff_t>(last));
    }
    add_limits();
    for (Group& g : groups_) add_columns(g);
  }

  // Rows: of every resource what is left, of every class with a level how many more may go without.
  void add_limits() {
    const auto add = [&](std::int64_t room, double price) {
      program_.rows.emplace_back();
      program_.rows.back().upper = static_cast<double>(room);
      row_price_.push_back(price);
    };
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      add(packing_.left(r), prices_.resource[r]);
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      row_of_class_.push_back(stage_.is_priced(k) ? std::ssize(program_.rows) : -1);
      if (!stage_.is_priced(k)) continue;
      add(stage_.may_skip[k] - packing_.skipped(k), prices_.skip[k] - stage_.skip_cost[k]);
    }
  }

  // Lets every limit be exceeded at a multiple of its price, so that whatever the search comes upon
  // is a step towards a plan that holds.
  void add_excesses() {
    double dearest = 0;
    for (const double price : row_price_) dearest = std::max(dearest, price);
    if (dearest == 0) dearest = 1;
    for (std::size_t row = 0; row < row_price_.size(); ++row) {
      row_price_[row] = std::max(row_price_[row], kLeastPrice * dearest);
      const auto column = static_cast<std::int32_t>(program_.objective.size());
      program_.rows[row].entries.emplace_back(column, -1.0);
      program_.objective.push_back(limits_.excess * row_price_[row]);
      program_.most.push_back(std::max(kMostExcess, -program_.rows[row].upper));
    }
  }

  void add_columns(Group& g) {
    g.first_column = program_.objective.size();
    const std::vector<Move>& moves = g.members.front();
    IntegerProgram::Row choice;
    choice.upper = static_cast<double>(g.members.size());
    for (std::size_t i = 0; i < moves.size(); ++i) {
      const auto column = static_cast<std::int32_t>(program_.objective.size());
      double sum = 0;
      for (const std::vector<Move>& own : g.members) {
        const Move& m = own[i];
        sum += worth(m.player, m.to) - worth(m.player, packing_.option_of(m.player));
      }
      program_.objective.push_back(sum / choice.upper);
      program_.most.push_back(choice.upper);
      choice.entries.emplace_back(column, 1.0);
      add_effect(moves[i], column);
    }
    if (moves.size() > 1) program_.rows.push_back(std::move(choice));
  }

  void add_effect(const Move& m, std::int32_t column) {
    std::map<std::size_t, double> change;  // by row
    const auto add = [&](std::int64_t option, double sign) {
      if (option == Packing::kNone) {
        const std::int64_t row = row_of_class_[table_.class_of[m.player]];
        if (row >= 0) change[static_cast<std::size_t>(row)] += sign;
        return;
      }
      table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
        if (r < table_.num_resources) change[static_cast<std::size_t>(r)] += sign * amount;
      });
    };
    add(m.to, 1);
    add(packing_.option_of(m.player), -1);
    for (const auto& [row, amount] : change) {
      if (amount != 0) program_.rows[row].entries.emplace_back(column, amount);
    }
  }

  void apply(const std::vector<double>& x, Packing& next) const {
    for (const Group& g : groups_) {
      std::size_t member = 0;
      for (std::size_t i = 0; i < g.members.front().size(); ++i) {
        const auto count = static_cast<std::int64_t>(std::llround(x[g.first_column + i]));
        for (std::int64_t n = 0; n < count && member < g.members.size(); ++n, ++member) {
          const Move& m = g.members[member][i];
          next.put(m.player, m.to);
        }
      }
    }
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  const AlikeLimits& limits_;
  Packing& packing_;
  // A fall of the cost of at most this much counts as none. In a large fleet any does: so many
  // players could do better that a few of each kind are nothing.
  double fall_;
  std::vector<Group> groups_;
  std::vector<std::int64_t> row_of_class_;  // [classes] -1: none
  std::vector<double> row_price_;           // [resources, classes with a row] of a unit more
  IntegerProgram program_;
};

}  // namespace

void AlikeSearches::settle(const Table& table, const Stage& stage, const Prices& prices,
                           const AlikeGoal& goal, Packing& packing) {
  if (!has_exact_solver()) return;
  AlikeLimits limits;
  limits.tie = kTie * unit_;
  limits.absolute_gap = kStop * goal.near;
  limits.max_moves = kFirstMoves;
  limits.per_kind = kPerKind;
  limits.excess = goal.excess;
  double share = kFirstShare;
  const std::int64_t last = work_ > goal.work ? work_ - goal.work : 0;
  for (int idle = 0; work_ > last && limits.max_moves <= kLastMoves;) {
    const bool held = packing.is_feasible() && !falls_short(stage, packing);
    if (idle >= goal.patience + (held ? 0 : kMorePatience)) break;
    const double before = objective_of(table, stage, packing);
    const double gap = held ? before - goal.bound : goal.slack;
    if (held && gap <= goal.near) break;
    limits.work = std::min(work_ - last, one_);
    limits.max_rise = share * gap;
    const AlikeResult result = move_alike(table, stage, prices, limits, packing);
    work_ -= result.work;
    const bool gained =
        held ? before - objective_of(table, stage, packing) > kProgress * gap : result.better;
    if (!held) limits.excess *= kExcessGrowth;
    idle = gained || result.finished ? 0 : idle + 1;
    if (gained && !result.finished) continue;
    limits.max_moves += limits.max_moves / 2;
    share = std::min(1.0, 1.5 * share);
  }
}

AlikeResult move_alike(const Table& table, const Stage& stage, const Prices& prices,
                       const AlikeLimits& limits, Packing& packing) {
  return AlikeSearch(table, stage, prices, limits, packing).run();
}

}  // namespace tonnage::price
