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

constexpr std::int64_t kNone = Assignment::kNone;

// Most rounds of cuts, and most in a row that close less than kIdle of the gap; under decisions
// only one such round.
constexpr int kMaxRounds = 12, kMaxIdleRounds = 2;
constexpr double kIdle = 0.02;
constexpr int kMaxPricings = 6;
constexpr std::size_t kAdded = 20;  // columns of one effect, at a time
// Under decisions slack cuts beyond this number are dropped.
constexpr std::size_t kKeptCuts = 80;
// What a pass takes beyond its servers, in servers.
constexpr std::int64_t kPassServers = 20000;

}  // namespace

Table with_cut_prices(const Table& table, double value_weight, const CutPrices& cut_prices) {
  Table result = table;
  for (std::size_t o = 0; o < result.options.size(); ++o) {
    double& value = result.options[o].value;
    value *= value_weight;
    if (!cut_prices.of_option.empty()) value += cut_prices.of_option[o];
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
    cut_prices_.clear();
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
    if (decisions.empty() && !cut_prices_.empty()) write_cut_prices();
    return best_;
  }

  [[nodiscard]] std::int64_t work() const {
    return passes_ * (choices_.num_servers() + kPassServers) + program_.work();
  }

 private:
  // Restricts decided servers to what they may take, and frees all others. False if some server may
  // take nothing.
  bool decide(const std::vector<Decision>& decisions) {
    for (const auto& [server, allowed] : allowed_) program_.allow_all(server);
    allowed_.clear();
    for (const Decision& d : decisions) {
      const auto [at, fresh] = allowed_.try_emplace(d.server);
      auto& allowed = at->second;
      if (fresh) {
        allowed.push_back(choices_.reference().option_of(d.server));
        choices_.for_others(d.server, [&](std::int64_t o) { allowed.push_back(o); });
      }
      std::erase_if(allowed, [&](std::int64_t o) { return (o == d.option) != d.takes; });
    }
    std::vector<Move> lacking;
    for (const auto& [server, allowed] : allowed_) {
      if (allowed.empty()) return false;
      for (const std::int64_t o : allowed) {
        if (o == choices_.reference().option_of(server) || program_.has_column(server, o)) continue;
        lacking.push_back({0, server, o});
      }
    }
    program_.add(std::move(lacking));
    for (const auto& [server, allowed] : allowed_) program_.allow(server, allowed);
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
  [[nodiscard]] double reduced_cost_of(std::int64_t server, std::int64_t choice,
                                       const std::vector<double>& costs) const {
    return choices_.worth(server, choice) -
           choices_.worth(server, choices_.reference().option_of(server)) +
           costs[static_cast<std::size_t>(choices_.slot_of(server, choice))];
  }

  // The bound at the prices of the linear program, and the columns that it is missing.
  std::vector<Move> price() {
    ChoiceProgram::Duals duals = program_.duals();
    const Effects& effects = choices_.effects();
    std::vector<double> costs = duals.cut_prices;
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
    const std::int64_t servers = choices_.num_servers();
    std::vector<Part> parts(static_cast<std::size_t>((servers + kChunk - 1) / kChunk));
    parallel_chunks(servers, kChunk, num_threads_, [&](std::int64_t begin, std::int64_t end) {
      Part& part = parts[begin / kChunk];
      for (std::int64_t p = begin; p < end; ++p) {
        Move best{0, p, kNone};
        choices_.for_others(p, [&](std::int64_t o) {
          const double reduced_cost = reduced_cost_of(p, o, costs);
          if (reduced_cost < best.reduced_cost) best = {reduced_cost, p, o};
        });
        const double now = choices_.worth(p, choices_.reference().option_of(p));
        part.bound += now + best.reduced_cost;
        part.magnitude += std::abs(now) + std::abs(best.reduced_cost);
        if (best.reduced_cost < -kCostTolerance) part.better.push_back(best);
      }
    });
    ++iterations_;
    ++passes_;
    double magnitude = std::abs(bound);
    for (const Part& part : parts) {
      bound += part.bound;
      magnitude += part.magnitude;
    }
    for (const auto& [server, allowed] : allowed_) {
      double least = kInfinity, free = 0;
      for (const std::int64_t o : allowed) {
        const bool stays = o == choices_.reference().option_of(server);
        least = std::min(least, stays ? 0 : reduced_cost_of(server, o, costs));
      }
      choices_.for_others(server, [&](std::int64_t o) {
        free = std::min(free, reduced_cost_of(server, o, costs));
      });
      bound += least - free;
      magnitude += std::abs(least) + std::abs(free);
    }
    const auto terms = static_cast<double>(kChunk + std::ssize(parts) + std::ssize(allowed_) + 64);
    bound -= magnitude * terms * std::numeric_limits<double>::epsilon();
    CheapestMoves better({0, kAdded, 0});
    for (const Part& part : parts) {
      for (const Move& m : part.better) {
        if (allowed_.contains(m.server)) continue;  // all its columns are there
        const auto server = duals.servers.find(m.server);
        // Prices of servers' rows say what the linear program knows of already.
        if (server != duals.servers.end() && m.reduced_cost + server->second >= -kCostTolerance)
          continue;
        // What it knows may still seem better: shares near 0 are nothing to it.
        if (program_.has_column(m.server, m.to)) continue;
        better.add(static_cast<std::uint64_t>(choices_.slot_of(m.server, m.to)), m);
      }
    }
    if (bound > best_.bound) keep(bound, std::move(duals));
    return better.all();
  }

  void keep(double bound, ChoiceProgram::Duals duals) {
    const Stage& stage = choices_.stage();
    best_.bound = bound;
    best_.cut_prices.most = duals.most;
    cut_prices_ = std::move(duals.cut_prices);
    for (std::int32_t r = 0; r < choices_.table().num_resources; ++r) {
      best_.prices.resource[r] = duals.rows[static_cast<std::size_t>(r)];
    }
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      const std::int32_t row = choices_.row_of_class(k);
      if (row < 0) continue;
      best_.prices.skip[k] = stage.skip_cost[k] + duals.rows[static_cast<std::size_t>(row)];
    }
  }

  // The largest share of each server, and the next decision if some are fractional: the server that
  // pays most for cards and is least decided, going without before all else.
  void read_solution() {
    const std::vector<double> x = program_.x();
    const Table& table = choices_.table();
    double most = 0;
    for (const ChoiceProgram::Shares& s : program_.shares()) {
      if (s.is_moved()) best_.choices.put(s.server, program_.choice_of(s.column));
      if (s.is_whole()) continue;
      double pays = 0;
      std::int64_t option = best_.choices.option_of(s.server);
      const auto look = [&](std::int64_t o, double share) {
        if (share < kFraction) return;
        if (o == kNone) {
          option = kNone;
          return;
        }
        pays = std::max(pays, table.cost_of(table.options[o], 0, best_.prices.resource));
      };
      look(choices_.reference().option_of(s.server), s.of_reference);
      program_.for_columns(s.server, x, look);
      const double stake = pays * std::min(1 - std::max(s.largest, s.of_reference), 0.5);
      if (best_.next.server >= 0 && stake <= most) continue;
      most = stake;
      best_.next = {s.server, option, true};
    }
  }

  // CutPrices of options. The cut price on going without is subtracted from the other options of
  // the server.
  void write_cut_prices() {
    const Table& table = choices_.table();
    CutPrices& cut_prices = best_.cut_prices;
    cut_prices.of_option.assign(table.options.size(), 0.0);
    for (std::int64_t p = 0; p < choices_.num_servers(); ++p) {
      const auto cut_price = [&](std::int64_t o) {
        const std::int32_t slot = choices_.slot_of(p, o);
        // Of those made later the slot they were copied from.
        return cut_prices_[static_cast<std::size_t>(
            slot < std::ssize(cut_prices_) ? slot : choices_.origin_of(slot))];
      };
      const double without = choices_.stage().is_forced(table.class_of[p]) ? 0 : cut_price(kNone);
      for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
        cut_prices.of_option[o] = cut_price(o) - without;
      }
      cut_prices.most -= without;
    }
  }

  int num_threads_;
  std::int64_t& iterations_;
  std::int64_t passes_ = 0;
  double bound_;  // of the prices
  Choices choices_;
  ChoiceProgram program_;
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> allowed_;  // of servers decided about
  std::vector<double> cut_prices_;  // [slots] of the best bound
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
