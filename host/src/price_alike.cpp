#include "price_alike.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "integer_program.hpp"
#include "price_exact.hpp"
#include "price_plans.hpp"

namespace tonnage::price {
namespace {

// Moves looked at: the cheapest.
constexpr std::size_t kMaxListed = 1000000;
// Ties of one effect: more would not be used.
constexpr std::size_t kMaxTies = 300;
// The first of the searches that grow, and the last.
constexpr std::size_t kFirstMoves = 600, kLastMoves = 3200;
constexpr std::size_t kPerKind = 8;
constexpr double kFirstShare = 0.2;        // of what lies between plan and bound, for one move
constexpr std::int64_t kMaxWork = 100000;  // of one of them
constexpr double kProgress = 0.05;         // of what lies between plan and bound
constexpr double kTie = 1e-6;              // of the unit
constexpr double kStop = 0.2;              // of what is near
// What a search takes before its first node, in nodes.
constexpr std::int64_t kRootNodes = 100;
// Costs within a step of this factor are alike where they are not ties.
constexpr double kStepsPerOctave = 4;

// A player that takes another option, kNone included, and by how much that raises its cost at the
// prices.
struct Move {
  double rise;
  std::int64_t player, to;
};

bool by_rise(const Move& a, const Move& b) {
  return std::tie(a.rise, a.player, a.to) < std::tie(b.rise, b.player, b.to);
}
bool by_player(const Move& a, const Move& b) {
  return std::tie(a.player, a.to) < std::tie(b.player, b.to);
}

class AlikeSearch {
 public:
  AlikeSearch(const Table& table, const Stage& stage, const Prices& prices,
              const AlikeLimits& limits, Packing& packing)
      : table_(table), stage_(stage), prices_(prices), limits_(limits), packing_(packing) {}

  AlikeResult run() {
    std::vector<Move> moves = list_moves();
    choose(moves);
    if (moves.empty()) return {false, true, 0};
    group(moves);
    ExactLimits exact;
    exact.absolute_gap = limits_.absolute_gap;
    const auto columns = static_cast<std::int64_t>(program_.objective.size());
    exact.max_nodes = std::max<std::int64_t>(1, limits_.work / columns);
    const bool held = holds(packing_);
    const std::vector<double> nobody(held ? program_.objective.size() : 0, 0.0);
    const IntegerAnswer answer = solve_integer_program(program_, exact, nobody);
    AlikeResult result;
    result.finished = answer.finished;
    result.work = (answer.nodes + kRootNodes) * columns;
    if (answer.x.empty()) return result;
    Packing next = packing_;
    apply(answer.x, next);
    result.better = holds(next) && (!held || is_better(table_, next, packing_));
    if (result.better) packing_ = std::move(next);
    return result;
  }

 private:
  using Uses = std::vector<std::pair<std::int32_t, std::int64_t>>;

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

  // What an option takes, as a number; the same for options that take the same.
  std::int64_t place_of(std::int64_t option) {
    if (option == Packing::kNone) return -1;
    Uses uses;
    table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
      if (r < table_.num_resources) uses.emplace_back(r, static_cast<std::int64_t>(amount));
    });
    return places_.try_emplace(uses, static_cast<std::int64_t>(places_.size())).first->second;
  }

  [[nodiscard]] std::vector<Move> list_moves() const {
    std::vector<Move> moves;
    for (std::int64_t p = 0; p < packing_.num_players(); ++p) {
      const std::int64_t now = packing_.option_of(p);
      const double before = cost(p, now);
      const auto add = [&](std::int64_t to) {
        const double rise = cost(p, to) - before;
        if (to != now && rise <= limits_.max_rise) moves.push_back({rise, p, to});
      };
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) add(o);
      if (!stage_.is_forced(table_.class_of[p])) add(Packing::kNone);
    }
    if (moves.size() > kMaxListed) {
      const auto end = moves.begin() + kMaxListed;
      std::nth_element(moves.begin(), end, moves.end(), by_rise);
      moves.erase(end, moves.end());
    }
    return moves;
  }

  [[nodiscard]] bool is_tie(const Move& m) const { return std::abs(m.rise) <= limits_.tie; }

  // Leaves the ties and of every effect the cheapest moves.
  void choose(std::vector<Move>& moves) {
    std::sort(moves.begin(), moves.end(), by_rise);
    std::map<std::tuple<std::int64_t, std::int64_t, std::int32_t>, std::size_t> count;
    std::size_t chosen = 0;
    std::erase_if(moves, [&](const Move& m) {
      if (!is_tie(m) && chosen >= limits_.max_moves) return true;
      const std::int64_t now = packing_.option_of(m.player);
      const bool serves = now == Packing::kNone || m.to == Packing::kNone;
      std::size_t& alike =
          count[{place_of(now), place_of(m.to), serves ? table_.class_of[m.player] : -1}];
      if (++alike > (is_tie(m) ? kMaxTies : limits_.per_kind)) return true;
      chosen += !is_tie(m);
      return false;
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
    std::map<std::vector<std::int64_t>, std::size_t> index;
    for (std::size_t first = 0, last; first < moves.size(); first = last) {
      const std::int64_t p = moves[first].player;
      const std::int64_t now = packing_.option_of(p);
      bool serves = now == Packing::kNone;
      std::vector<std::int64_t> menu;
      for (last = first; last < moves.size() && moves[last].player == p; ++last) {
        serves = serves || moves[last].to == Packing::kNone;
        menu.push_back(place_of(moves[last].to));
        menu.push_back(step_of(moves[last]));
      }
      menu.push_back(place_of(now));
      menu.push_back(serves ? table_.class_of[p] : -1);
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
    const auto add = [&](std::int64_t room) {
      program_.rows.emplace_back();
      program_.rows.back().upper = static_cast<double>(room);
    };
    for (std::int32_t r = 0; r < table_.num_resources; ++r) add(packing_.left(r));
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      row_of_class_.push_back(stage_.is_priced(k) ? std::ssize(program_.rows) : -1);
      if (stage_.is_priced(k)) add(stage_.may_skip[k] - packing_.skipped(k));
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
  std::map<Uses, std::int64_t> places_;
  std::vector<Group> groups_;
  std::vector<std::int64_t> row_of_class_;  // [classes] -1: none
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
  double share = kFirstShare;
  for (int idle = 0; work_ > 0 && idle < goal.patience && limits.max_moves <= kLastMoves;) {
    const bool held = packing.is_feasible() && !falls_short(stage, packing);
    const double before = objective_of(table, stage, packing);
    const double gap = held ? before - goal.bound : goal.slack;
    if (held && gap <= goal.near) break;
    limits.work = std::min(work_, kMaxWork);
    limits.max_rise = share * gap;
    const AlikeResult result = move_alike(table, stage, prices, limits, packing);
    work_ -= result.work;
    const bool gained =
        held ? before - objective_of(table, stage, packing) > kProgress * gap : result.better;
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
