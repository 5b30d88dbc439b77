// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The grouped search: groups interchangeable servers, and solves an integer program with one
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

class GroupedSearch {
 public:
  GroupedSearch(const Table& table, const Stage& stage, const Prices& prices,
                const GroupedLimits& limits, Assignment& assignment)
      : table_(table),
        stage_(stage),
        prices_(prices),
        limits_(limits),
        assignment_(assignment),
        fall_(assignment.num_servers() > kLarge ? std::numeric_limits<double>::infinity()
                                                : limits.tie) {}

  GroupedResult run() {
    std::vector<Move> moves = list_moves();
    choose(moves);
    if (moves.empty()) return {false, true, 0};
    group(moves);
    const bool held = holds(assignment_);
    const bool may_exceed = !held && limits_.excess > 0;
    if (may_exceed) add_excesses();
    ExactLimits exact;
    exact.absolute_gap = limits_.absolute_gap;
    exact.max_work = std::max<std::int64_t>(1, limits_.work);
    const std::vector<double> nobody(held ? program_.objective.size() : 0, 0.0);
    const IntegerAnswer answer = solve_integer_program(program_, exact, nobody);
    GroupedResult result;
    result.finished = answer.finished;
    result.work = answer.work;
    if (answer.x.empty()) return result;
    Assignment next = assignment_;
    apply(answer.x, next);
    if (may_exceed) {
      result.better = excess(next) < excess(assignment_);
    } else {
      result.better = holds(next) && (!held || is_better(table_, next, assignment_));
    }
    if (result.better) assignment_ = std::move(next);
    return result;
  }

 private:
  // Servers with the same moves, and the columns of how many make which.
  struct Group {
    std::vector<std::vector<Move>> members;  // the moves of each, in the order of the columns
    std::size_t first_column = 0;
  };

  [[nodiscard]] double cost(std::int64_t server, std::int64_t option) const {
    if (option == Assignment::kNone) return prices_.skip[table_.class_of[server]];
    return table_.cost_of(table_.options[option], stage_.value_weight, prices_.resource);
  }
  // What a choice adds to the objective of the stage.
  [[nodiscard]] double worth(std::int64_t server, std::int64_t option) const {
    if (option == Assignment::kNone) return stage_.skip_cost[table_.class_of[server]];
    return stage_.value_weight * table_.options[option].value;
  }

  [[nodiscard]] bool holds(const Assignment& assignment) const {
    return assignment.is_feasible() && !falls_short(stage_, assignment);
  }

  // What a plan has beyond what holds, at the prices of the rows.
  [[nodiscard]] double excess(const Assignment& assignment) const {
    double sum = 0;
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      sum += std::max(
          0.0, -row_price_[static_cast<std::size_t>(r)] * static_cast<double>(assignment.left(r)));
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      if (row_of_class_[k] < 0) continue;
      sum += std::max(0.0, row_price_[static_cast<std::size_t>(row_of_class_[k])] *
                               static_cast<double>(assignment.skipped(k) - stage_.may_skip[k]));
    }
    return sum;
  }

  // What an option takes, and of whom where the move is about service, as a number.
  [[nodiscard]] std::uint64_t trace(std::int64_t server, bool serves, std::int64_t option) const {
    std::uint64_t sum = serves ? 1 + static_cast<std::uint64_t>(table_.class_of[server]) : 0;
    if (option == Assignment::kNone) return mixed(sum, 0);
    table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
      sum =
          mixed(mixed(sum, static_cast<std::uint64_t>(r) + 1), static_cast<std::uint64_t>(amount));
    });
    return sum;
  }

  [[nodiscard]] std::vector<Move> list_moves() const {
    CheapestMoves moves({kMaxTies, limits_.per_kind, limits_.tie, fall_});
    for (std::int64_t p = 0; p < assignment_.num_servers(); ++p) {
      const std::int64_t now = assignment_.option_of(p);
      const double before = cost(p, now);
      const auto add = [&](std::int64_t to) {
        const double reduced_cost = cost(p, to) - before;
        if (to == now || !(reduced_cost <= limits_.max_reduced_cost)) return;
        const bool serves = now == Assignment::kNone || to == Assignment::kNone;
        moves.add(mixed(trace(p, serves, now), trace(p, serves, to)), {reduced_cost, p, to});
      };
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) add(o);
      if (!stage_.is_forced(table_.class_of[p])) add(Assignment::kNone);
    }
    return moves.all();
  }

  [[nodiscard]] bool is_tie(const Move& m) const { return std::abs(m.reduced_cost) <= limits_.tie; }

  // Leaves the cheapest ties and the cheapest others.
  void choose(std::vector<Move>& moves) const {
    std::sort(moves.begin(), moves.end(), by_reduced_cost);
    std::size_t ties = 0, others = 0;
    std::erase_if(moves, [&](const Move& m) {
      const bool counts_as_tie = m.reduced_cost <= limits_.tie && -m.reduced_cost <= fall_;
      return counts_as_tie ? ++ties > kMostTies : ++others > limits_.max_moves;
    });
    std::sort(moves.begin(), moves.end(), by_server);
  }

  // Costs that count as equal have the same step.
  [[nodiscard]] std::int64_t step_of(const Move& m) const {
    if (is_tie(m)) return 0;
    const double steps = kStepsPerOctave * std::log2(std::abs(m.reduced_cost) / limits_.tie);
    const auto step = 1 + static_cast<std::int64_t>(std::lround(steps));
    return m.reduced_cost < 0 ? -step : step;
  }

  void group(const std::vector<Move>& moves) {
    std::map<std::vector<std::uint64_t>, std::size_t> index;
    for (std::size_t first = 0, last; first < moves.size(); first = last) {
      const std::int64_t p = moves[first].server;
      const std::int64_t now = assignment_.option_of(p);
      bool serves = now == Assignment::kNone;
      for (last = first; last < moves.size() && moves[last].server == p; ++last) {
        serves = serves || moves[last].to == Assignment::kNone;
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
      add(assignment_.left(r), prices_.resource[r]);
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      row_of_class_.push_back(stage_.is_priced(k) ? std::ssize(program_.rows) : -1);
      if (!stage_.is_priced(k)) continue;
      add(stage_.may_skip[k] - assignment_.skipped(k), prices_.skip[k] - stage_.skip_cost[k]);
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
        sum += worth(m.server, m.to) - worth(m.server, assignment_.option_of(m.server));
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
      if (option == Assignment::kNone) {
        const std::int64_t row = row_of_class_[table_.class_of[m.server]];
        if (row >= 0) change[static_cast<std::size_t>(row)] += sign;
        return;
      }
      table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
        if (r < table_.num_resources) change[static_cast<std::size_t>(r)] += sign * amount;
      });
    };
    add(m.to, 1);
    add(assignment_.option_of(m.server), -1);
    for (const auto& [row, amount] : change) {
      if (amount != 0) program_.rows[row].entries.emplace_back(column, amount);
    }
  }

  void apply(const std::vector<double>& x, Assignment& next) const {
    for (const Group& g : groups_) {
      std::size_t member = 0;
      for (std::size_t i = 0; i < g.members.front().size(); ++i) {
        const auto count = static_cast<std::int64_t>(std::llround(x[g.first_column + i]));
        for (std::int64_t n = 0; n < count && member < g.members.size(); ++n, ++member) {
          const Move& m = g.members[member][i];
          next.put(m.server, m.to);
        }
      }
    }
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  const GroupedLimits& limits_;
  Assignment& assignment_;
  // A fall of the cost of at most this much counts as none. In a large fleet any does: so many
  // servers could do better that a few of each kind are nothing.
  double fall_;
  std::vector<Group> groups_;
  std::vector<std::int64_t> row_of_class_;  // [classes] -1: none
  std::vector<double> row_price_;           // [resources, classes with a row] of a unit more
  IntegerProgram program_;
};

}  // namespace

void GroupedSearches::settle(const Table& table, const Stage& stage, const Prices& prices,
                             const GroupedGoal& goal, Assignment& assignment) {
  if (!has_exact_solver()) return;
  GroupedLimits limits;
  limits.tie = kTie * unit_;
  limits.absolute_gap = kStop * goal.near;
  limits.max_moves = kFirstMoves;
  limits.per_kind = kPerKind;
  limits.excess = goal.excess;
  double share = kFirstShare;
  const std::int64_t last = work_ > goal.work ? work_ - goal.work : 0;
  for (int idle = 0; work_ > last && limits.max_moves <= kLastMoves;) {
    const bool held = assignment.is_feasible() && !falls_short(stage, assignment);
    if (idle >= goal.patience + (held ? 0 : kMorePatience)) break;
    const double before = objective_of(table, stage, assignment);
    const double gap = held ? before - goal.bound : goal.slack;
    if (held && gap <= goal.near) break;
    limits.work = std::min(work_ - last, one_);
    limits.max_reduced_cost = share * gap;
    const GroupedResult result = search_grouped(table, stage, prices, limits, assignment);
    work_ -= result.work;
    const bool gained =
        held ? before - objective_of(table, stage, assignment) > kProgress * gap : result.better;
    if (!held) limits.excess *= kExcessGrowth;
    idle = gained || result.finished ? 0 : idle + 1;
    if (gained && !result.finished) continue;
    limits.max_moves += limits.max_moves / 2;
    share = std::min(1.0, 1.5 * share);
  }
}

GroupedResult search_grouped(const Table& table, const Stage& stage, const Prices& prices,
                             const GroupedLimits& limits, Assignment& assignment) {
  return GroupedSearch(table, stage, prices, limits, assignment).run();
}

}  // namespace tonnage::price
