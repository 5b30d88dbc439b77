// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Column generation and cuts for the LP relaxation of a stage, the bound that its prices prove, and
// the choice of the next branching decision.
#include "host/select/price/proof/lp_relaxation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "host/base/parallel.hpp"
#include "host/select/price/proof/columns.hpp"
#include "host/select/price/proof/master_program.hpp"
#include "tonnage/core/elementary.hpp"

namespace tonnage::price {
namespace {

constexpr std::int64_t kNone = Packing::kNone;

// Most rounds of cuts, and most in a row that close less than kIdle of the gap; under decisions
// only one such round.
constexpr int kMaxRounds = 12, kMaxIdleRounds = 2;
constexpr double kIdle = 0.02;
constexpr int kMaxPricings = 6;
constexpr std::size_t kAdded = 20;  // columns of one effect, at a time
// Under decisions slack cuts beyond this number are dropped.
constexpr std::size_t kKeptCuts = 80;
// What a pass takes beyond its players, in players.
constexpr std::int64_t kPassPlayers = 20000;

}  // namespace

Table with_tolls(const Table& table, double value_weight, const Tolls& tolls) {
  Table result = table;
  for (std::size_t o = 0; o < result.options.size(); ++o) {
    double& value = result.options[o].value;
    value *= value_weight;
    if (!tolls.of_option.empty()) value += tolls.of_option[o];
  }
  return result;
}

class Relaxer::Program {
 public:
  Program(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
          std::int64_t& iterations)
      : num_threads_(num_threads),
        iterations_(iterations),
        bound_(respond(table, stage, prices, num_threads).bound()),
        choices_(table, stage, prices, num_threads),
        program_(choices_),
        best_{0, {}, {}, choices_.reference()} {}

  Relaxed relax(const std::vector<Decision>& decisions, double enough, std::int64_t most_work) {
    const std::int64_t last = work() + most_work;
    const bool possible = decide(decisions);
    best_ = {decisions.empty() ? bound_ : -kInfinity, choices_.prices(), {}, choices_.reference()};
    tolls_.clear();
    if (!possible) {
      best_.bound = kInfinity;
      return best_;
    }
    const int most_idle = decisions.empty() ? kMaxIdleRounds : 1;
    bool solved = settle(last);
    for (int round = 0, idle = 0; solved && round < kMaxRounds && idle < most_idle; ++round) {
      const double before = best_.bound;
      if (before >= enough - kCostTolerance || work() >= last || !program_.separate()) break;
      solved = settle(last) && drop_slack();
      idle = best_.bound - before > kIdle * (enough - before) ? 0 : idle + 1;
    }
    if (solved) read_solution();
    if (!solved && program_.is_impossible()) best_.bound = kInfinity;
    if (decisions.empty() && !tolls_.empty()) write_tolls();
    return best_;
  }

  [[nodiscard]] std::int64_t work() const {
    return passes_ * (choices_.num_players() + kPassPlayers) + program_.work();
  }

 private:
  // Restricts decided players to what they may take, and frees all others. False if some player may
  // take nothing.
  bool decide(const std::vector<Decision>& decisions) {
    for (const auto& [player, allowed] : allowed_) program_.allow_all(player);
    allowed_.clear();
    for (const Decision& d : decisions) {
      const auto [at, fresh] = allowed_.try_emplace(d.player);
      auto& allowed = at->second;
      if (fresh) {
        allowed.push_back(choices_.reference().option_of(d.player));
        choices_.for_others(d.player, [&](std::int64_t o) { allowed.push_back(o); });
      }
      std::erase_if(allowed, [&](std::int64_t o) { return (o == d.option) != d.takes; });
    }
    std::vector<Move> lacking;
    for (const auto& [player, allowed] : allowed_) {
      if (allowed.empty()) return false;
      for (const std::int64_t o : allowed) {
        if (o == choices_.reference().option_of(player) || program_.has_column(player, o)) continue;
        lacking.push_back({0, player, o});
      }
    }
    program_.add(std::move(lacking));
    for (const auto& [player, allowed] : allowed_) program_.allow(player, allowed);
    return true;
  }

  // Solves the linear program, with more columns until no other would help, and keeps the prices of
  // the best bound. False: there is no solution.
  bool settle(std::int64_t last) {
    if (!program_.solve()) return false;
    for (int i = 0; i < kMaxPricings; ++i) {
      std::vector<Move> better = price();
      if (better.empty() || work() >= last) break;
      program_.add(std::move(better));
      if (!program_.solve()) return false;
    }
    return true;
  }

  bool drop_slack() {
    if (!allowed_.empty() && program_.num_cuts() <= kKeptCuts) return true;
    return program_.drop_slack();
  }

  // The cost of a choice above that of the reference, given the costs of slots.
  [[nodiscard]] double rise_of(std::int64_t player, std::int64_t choice,
                               const std::vector<double>& costs) const {
    return choices_.worth(player, choice) -
           choices_.worth(player, choices_.reference().option_of(player)) +
           costs[static_cast<std::size_t>(choices_.slot_of(player, choice))];
  }

  // The bound at the prices of the linear program, and the columns that it is missing.
  std::vector<Move> price() {
    ChoiceProgram::Duals duals = program_.duals();
    const Effects& effects = choices_.effects();
    std::vector<double> costs = duals.tolls;
    double bound = -duals.most;
    for (std::size_t r = 0; r < duals.rows.size(); ++r) bound -= duals.rows[r] * choices_.room()[r];
    for (std::int32_t s = 0; s < effects.size(); ++s) {
      for (const auto* e = effects.begin(s); e != effects.end(s); ++e) {
        costs[static_cast<std::size_t>(s)] += duals.rows[e->row] * e->amount;
      }
    }
    struct Part {
      double bound = 0, magnitude = 0;
      std::vector<Move> better;
    };
    const std::int64_t players = choices_.num_players();
    std::vector<Part> parts(static_cast<std::size_t>((players + kChunk - 1) / kChunk));
    parallel_chunks(players, kChunk, num_threads_, [&](std::int64_t begin, std::int64_t end) {
      Part& part = parts[begin / kChunk];
      for (std::int64_t p = begin; p < end; ++p) {
        Move best{0, p, kNone};
        choices_.for_others(p, [&](std::int64_t o) {
          const double rise = rise_of(p, o, costs);
          if (rise < best.rise) best = {rise, p, o};
        });
        const double now = choices_.worth(p, choices_.reference().option_of(p));
        part.bound += now + best.rise;
        part.magnitude += std::abs(now) + std::abs(best.rise);
        if (best.rise < -kCostTolerance) part.better.push_back(best);
      }
    });
    ++iterations_;
    ++passes_;
    double magnitude = std::abs(bound);
    for (const Part& part : parts) {
      bound += part.bound;
      magnitude += part.magnitude;
    }
    for (const auto& [player, allowed] : allowed_) {
      double least = kInfinity, free = 0;
      for (const std::int64_t o : allowed) {
        const bool stays = o == choices_.reference().option_of(player);
        least = std::min(least, stays ? 0 : rise_of(player, o, costs));
      }
      choices_.for_others(
          player, [&](std::int64_t o) { free = std::min(free, rise_of(player, o, costs)); });
      bound += least - free;
      magnitude += std::abs(least) + std::abs(free);
    }
    const auto terms = static_cast<double>(kChunk + std::ssize(parts) + std::ssize(allowed_) + 64);
    bound -= magnitude * terms * std::numeric_limits<double>::epsilon();
    CheapestMoves better({0, kAdded, 0});
    for (const Part& part : parts) {
      for (const Move& m : part.better) {
        if (allowed_.contains(m.player)) continue;  // all its columns are there
        const auto player = duals.players.find(m.player);
        // Prices of players' rows say what the linear program knows of already.
        if (player != duals.players.end() && m.rise + player->second >= -kCostTolerance) continue;
        // What it knows may still seem better: shares near 0 are nothing to it.
        if (program_.has_column(m.player, m.to)) continue;
        better.add(static_cast<std::uint64_t>(choices_.slot_of(m.player, m.to)), m);
      }
    }
    if (bound > best_.bound) keep(bound, std::move(duals));
    return better.all();
  }

  void keep(double bound, ChoiceProgram::Duals duals) {
    const Stage& stage = choices_.stage();
    best_.bound = bound;
    best_.tolls.most = duals.most;
    tolls_ = std::move(duals.tolls);
    for (std::int32_t r = 0; r < choices_.table().num_resources; ++r) {
      best_.prices.resource[r] = duals.rows[static_cast<std::size_t>(r)];
    }
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      const std::int32_t row = choices_.row_of_class(k);
      if (row < 0) continue;
      best_.prices.skip[k] = stage.skip_cost[k] + duals.rows[static_cast<std::size_t>(row)];
    }
  }

  // The largest share of each player, and the next decision if some are fractional: the player that
  // pays most for cards and is least decided, going without before all else.
  void read_solution() {
    const std::vector<double> x = program_.x();
    const Table& table = choices_.table();
    double most = 0;
    for (const ChoiceProgram::Shares& s : program_.shares()) {
      if (s.is_moved()) best_.choices.put(s.player, program_.choice_of(s.column));
      if (s.is_whole()) continue;
      double pays = 0;
      std::int64_t option = best_.choices.option_of(s.player);
      const auto look = [&](std::int64_t o, double share) {
        if (share < kFraction) return;
        if (o == kNone) {
          option = kNone;
          return;
        }
        pays = std::max(pays, table.cost_of(table.options[o], 0, best_.prices.resource));
      };
      look(choices_.reference().option_of(s.player), s.of_reference);
      program_.for_columns(s.player, x, look);
      const double stake = pays * std::min(1 - std::max(s.largest, s.of_reference), 0.5);
      if (best_.next.player >= 0 && stake <= most) continue;
      most = stake;
      best_.next = {s.player, option, true};
    }
  }

  // Tolls of options. The toll on going without is subtracted from the other options of the player.
  void write_tolls() {
    const Table& table = choices_.table();
    Tolls& tolls = best_.tolls;
    tolls.of_option.assign(table.options.size(), 0.0);
    for (std::int64_t p = 0; p < choices_.num_players(); ++p) {
      const auto toll = [&](std::int64_t o) {
        const std::int32_t slot = choices_.slot_of(p, o);
        // Of those made later the slot they were copied from.
        return tolls_[static_cast<std::size_t>(
            slot < std::ssize(tolls_) ? slot : choices_.origin_of(slot))];
      };
      const double without = choices_.stage().is_forced(table.class_of[p]) ? 0 : toll(kNone);
      for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
        tolls.of_option[o] = toll(o) - without;
      }
      tolls.most -= without;
    }
  }

  int num_threads_;
  std::int64_t& iterations_;
  std::int64_t passes_ = 0;
  double bound_;  // of the prices
  Choices choices_;
  ChoiceProgram program_;
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> allowed_;  // of players decided about
  std::vector<double> tolls_;  // [slots] of the best bound
  Relaxed best_;
};

Relaxer::Relaxer(const Table& table, const Stage& stage, const Prices& prices, int num_threads,
                 std::int64_t& iterations)
    : program_(std::make_unique<Program>(table, stage, prices, num_threads, iterations)) {}
Relaxer::~Relaxer() = default;

Relaxed Relaxer::relax(const std::vector<Decision>& decisions, double enough,
                       std::int64_t most_work) {
  return program_->relax(decisions, enough, most_work);
}

std::int64_t Relaxer::work() const { return program_->work(); }

}  // namespace tonnage::price
