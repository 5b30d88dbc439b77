// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Exchanges of up to four moves, matched by what they use and free (see exchange() in
// model/assignment.hpp), also as repair of infeasible plans.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "host/select/price/plans/half_table.hpp"
#include "host/select/price/plans/moves.hpp"
#include "host/select/price/plans/plan_maker.hpp"

namespace tonnage::price {
namespace {

// Moves considered at a time, and per kind. All pairs of them are formed. Exchanges that are found
// are repeated with up to kMostPerKind moves of their kinds.
constexpr std::size_t kMoves = 2000;
constexpr std::size_t kMovesPerKind = 3, kMostPerKind = 64;
constexpr std::size_t kMaxHalves = 2000000;
constexpr std::size_t kMaxFound = 200000;
constexpr double kTiny = 1e-9;
// The last round is one that saves less than this share of what all rounds before saved.
constexpr double kLeastGain = 1e-3;
// Limits of at most this many units are matched exactly, like cards.
constexpr std::int64_t kMaxMatched = 10000000;

// A move, and what it does to the cards left and to the levels of the classes, as a sum of keys.
struct Step : Move {
  std::uint64_t key;
  std::size_t kind;  // of moves that do the same; kNoKind where nobody moves
};
constexpr std::size_t kNoKind = std::numeric_limits<std::size_t>::max();

// Moves of equal effect, the cheapest first, and how many of them are made or skipped.
struct Kind {
  std::vector<Step> steps;
  std::size_t next = 0;
};

// Up to four moves that together change what is left by a known amount.
struct Exchange {
  double gain;
  std::uint16_t moves[4];
};

std::uint64_t key_of(std::int64_t resource) {
  auto x = static_cast<std::uint64_t>(resource + 1) * 0x9e3779b97f4a7c15u;
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return (x ^ (x >> 31)) | 1;
}

std::uint64_t times(std::uint64_t key, std::int64_t count) {
  return key * static_cast<std::uint64_t>(count);
}

class Exchanger {
 public:
  Exchanger(const Table& table, const Stage& stage, const Prices& prices, Assignment& assignment)
      : table_(table), stage_(stage), prices_(prices), assignment_(assignment) {
    for (std::int64_t p = 0; p < assignment.num_servers(); ++p) {
      dear_ = std::max(dear_, cheapest_option(table, stage.value_weight, prices.resource, p).cost);
    }
    for (const double skip : prices.skip) {
      if (std::isfinite(skip)) dear_ = std::max(dear_, skip);
    }
    dear_ *= 2;
  }

  // Whether anything got better.
  bool round() {
    gain_ = 0;
    if (!list_targets()) return false;
    list_moves();
    if (moves_.size() < 3) return false;
    find_exchanges();
    return apply();
  }

  // What the last round saved where nothing else changed.
  [[nodiscard]] double gain() const { return gain_; }

 private:
  struct Target {
    std::uint64_t key;
    double worth;  // what filling it saves at the prices
  };

  [[nodiscard]] double reduced(std::int64_t server, std::int64_t option) const {
    if (option == Assignment::kNone) {
      const double skip = prices_.skip[table_.class_of[server]];
      return std::isfinite(skip) ? skip : dear_;
    }
    return table_.cost_of(table_.options[option], stage_.value_weight, prices_.resource);
  }
  // Amounts of money and power never match exactly; plans that exceed them are rejected later.
  [[nodiscard]] bool is_matched(std::int32_t resource) const {
    return resource < table_.num_types ||
           (resource < table_.num_resources && table_.capacity[resource] <= kMaxMatched);
  }
  [[nodiscard]] std::uint64_t class_key(std::int32_t rank) const {
    return stage_.may_skip[rank] == Stage::kNoLimit ? 0 : key_of(table_.num_resources + rank);
  }
  // What an option takes of the resources.
  [[nodiscard]] std::uint64_t use(std::int64_t server, std::int64_t option) const {
    if (option == Assignment::kNone) return class_key(table_.class_of[server]);
    std::uint64_t key = 0;
    table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
      if (is_matched(r)) key += times(key_of(r), static_cast<std::int64_t>(amount));
    });
    return key;
  }

  // One unit of what the plan is short of: cards first, then service.
  [[nodiscard]] Target repair_target() const {
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      if (assignment_.left(r) < 0) return {times(key_of(r), -1), dear_};
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      if (stage_.may_skip[k] == Stage::kNoLimit || assignment_.skipped(k) <= stage_.may_skip[k]) {
        continue;
      }
      return {times(class_key(k), -1), dear_};
    }
    return {0, 0};
  }

  // The targets of an exchange: use nothing of what is left, all of one resource, or everything;
  // each together with one unit of repair. False if there is none.
  bool list_targets() {
    least_left_.clear();
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      least_left_.push_back(std::min<std::int64_t>(0, assignment_.left(r)));
    }
    const Target base = repair_target();
    targets_.assign(1, base);
    Target all = base;
    const auto add = [&](std::uint64_t key, std::int64_t left, double price) {
      if (left <= 0 || !(price > 0) || !std::isfinite(price)) return;
      const Target part{times(key, left), price * static_cast<double>(left)};
      targets_.push_back({base.key + part.key, base.worth + part.worth});
      all.key += part.key;
      all.worth += part.worth;
    };
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      if (!is_matched(r) && assignment_.left(r) < 0) return false;
      if (is_matched(r)) add(key_of(r), assignment_.left(r), prices_.resource[r]);
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      if (stage_.may_skip[k] == Stage::kNoLimit) continue;
      add(class_key(k), stage_.may_skip[k] - assignment_.skipped(k),
          prices_.skip[k] - stage_.skip_cost[k]);
    }
    if (targets_.size() > 2) targets_.push_back(all);
    worth_ = all.worth;
    return true;
  }

  void list_moves() {
    double regrets = 0;
    CheapestMoves cheapest({0, kMostPerKind, -1, -1});
    for (std::int64_t p = 0; p < assignment_.num_servers(); ++p) {
      const std::int64_t now = assignment_.option_of(p);
      const double cost = reduced(p, now);
      const std::uint64_t used = use(p, now);
      double least = 0;
      const auto add = [&](std::int64_t to) {
        const double reduced_cost = reduced(p, to) - cost;
        if (to == now) return;
        least = std::min(least, reduced_cost);
        cheapest.add(use(p, to) - used, {reduced_cost, p, to});
      };
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) add(o);
      if (std::isfinite(prices_.skip[table_.class_of[p]])) add(Assignment::kNone);
      regrets -= least;
    }
    const double limit = worth_ + regrets;
    std::vector<Move> all = cheapest.all();
    std::erase_if(all, [&](const Move& m) { return m.reduced_cost > limit; });
    std::sort(all.begin(), all.end(), by_reduced_cost);
    moves_.clear();
    // No move at all, so that pairs stand for single ones, too; then waste of a few cards.
    moves_.push_back({{0, -1, Assignment::kNone}, 0, kNoKind});
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      if (!is_matched(r)) continue;
      for (const std::int64_t n : {1, 2, 4}) {
        const double cost = prices_.resource[r] * static_cast<double>(n);
        if (cost < limit)
          moves_.push_back({{cost, -1, Assignment::kNone}, times(key_of(r), n), kNoKind});
      }
    }
    kinds_.clear();
    std::unordered_map<std::uint64_t, std::size_t> kind_of;
    for (const Move& m : all) {
      const std::uint64_t key =
          use(m.server, m.to) - use(m.server, assignment_.option_of(m.server));
      const std::size_t at = kind_of.try_emplace(key, kinds_.size()).first->second;
      if (at == kinds_.size()) kinds_.emplace_back();
      const Step step{m, key, at};
      if (moves_.size() < kMoves && kinds_[at].steps.size() < kMovesPerKind) moves_.push_back(step);
      kinds_[at].steps.push_back(step);
    }
    std::sort(moves_.begin(), moves_.end(), by_reduced_cost);
  }

  [[nodiscard]] bool clash(std::uint16_t a, std::uint16_t b) const {
    return moves_[a].server >= 0 && moves_[a].server == moves_[b].server;
  }

  // Calls body(i, j, cost) for the pairs of moves that cost less than `limit` together.
  template <class Body>
  void for_pairs(double limit, const Body& body) const {
    const auto n = static_cast<std::uint16_t>(moves_.size());
    for (std::uint16_t i = 0; i < n; ++i) {
      for (std::uint16_t j = i + 1; j < n; ++j) {
        const double cost = moves_[i].reduced_cost + moves_[j].reduced_cost;
        if (!(cost < limit)) break;
        body(i, j, cost);
      }
    }
  }

  void find_exchanges() {
    // Of the two pairs of an exchange one costs at most half of what the whole may cost.
    std::size_t count = 0;
    for (const Target& target : targets_) {
      for_pairs(target.worth / 2, [&](auto, auto, double) { ++count; });
    }
    halves_.reset(std::min(count, kMaxHalves));
    double most = 0;
    std::size_t kept = 0;
    for (const Target& target : targets_) {
      for_pairs(target.worth / 2, [&](std::uint16_t i, std::uint16_t j, double cost) {
        if (clash(i, j) || kept >= kMaxHalves) return;
        ++kept;
        halves_.insert({target.key - moves_[i].key - moves_[j].key, target.worth - cost, i, j});
        most = std::max(most, target.worth - cost);
      });
    }
    found_.clear();
    for_pairs(most, [&](std::uint16_t i, std::uint16_t j, double cost) {
      const Half* half = halves_.find(moves_[i].key + moves_[j].key);
      if (half == nullptr || !(half->gain - cost > kTiny) || found_.size() >= kMaxFound) return;
      const auto [key, unused, k, l] = *half;
      if (clash(i, j) || clash(i, k) || clash(i, l) || clash(j, k) || clash(j, l)) return;
      found_.push_back({half->gain - cost, {i, j, k, l}});
    });
  }

  bool apply() {
    std::sort(found_.begin(), found_.end(), [](const Exchange& a, const Exchange& b) {
      if (a.gain != b.gain) return a.gain > b.gain;
      return std::lexicographical_compare(a.moves, a.moves + 4, b.moves, b.moves + 4);
    });
    std::vector<bool> touched(static_cast<std::size_t>(assignment_.num_servers()), false);
    bool better = false;
    for (const Exchange& exchange : found_) {
      Steps steps;
      for (std::size_t i = 0; i < steps.size(); ++i) steps[i] = moves_[exchange.moves[i]];
      while (try_exchange(steps, touched)) {
        better = true;
        if (!next_of_kinds(steps, touched)) break;
      }
    }
    return better;
  }

  using Steps = std::array<Step, 4>;

  // The next moves of the same kinds; false if there are none.
  bool next_of_kinds(Steps& steps, const std::vector<bool>& touched) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].kind == kNoKind) continue;
      Kind& kind = kinds_[steps[i].kind];
      while (kind.next < kind.steps.size() && touched[kind.steps[kind.next].server]) ++kind.next;
      const auto is_free = [&](const Step& step) {
        return !touched[step.server] &&
               std::none_of(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(i),
                            [&](const Step& s) { return s.server == step.server; });
      };
      const auto first = kind.steps.begin() + static_cast<std::ptrdiff_t>(kind.next);
      const auto at = std::find_if(first, kind.steps.end(), is_free);
      if (at == kind.steps.end()) return false;
      steps[i] = *at;
    }
    return true;
  }

  bool try_exchange(const Steps& steps, std::vector<bool>& touched) {
    const std::int64_t lack_before = lack(table_, stage_, assignment_);
    double cost_before = 0, cost_after = 0;
    std::vector<std::pair<std::int64_t, std::int64_t>> undo;
    for (const Step& move : steps) {
      if (move.server < 0) continue;
      if (touched[move.server]) return false;
    }
    for (const Step& move : steps) {
      if (move.server < 0) continue;
      const std::int64_t now = assignment_.option_of(move.server);
      cost_before += price_of(move.server, now);
      cost_after += price_of(move.server, move.to);
      undo.emplace_back(move.server, now);
      assignment_.put(move.server, move.to);
    }
    const std::int64_t lack_after = lack(table_, stage_, assignment_);
    const bool better =
        lack_after != lack_before ? lack_after < lack_before : cost_after < cost_before - kTiny;
    if (better && is_bearable()) {
      if (lack_after == lack_before) gain_ += cost_before - cost_after;
      for (const auto& [server, unused] : undo) touched[server] = true;
      return true;
    }
    for (const auto& [server, option] : undo) assignment_.put(server, option);
    return false;
  }

  // Whether the plan holds, but for cards that it lacked before.
  [[nodiscard]] bool is_bearable() const {
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      if (assignment_.left(r) < least_left_[static_cast<std::size_t>(r)]) return false;
    }
    return true;
  }

  // What a choice costs the stage, prices aside.
  [[nodiscard]] double price_of(std::int64_t server, std::int64_t option) const {
    if (option == Assignment::kNone) return stage_.skip_cost[table_.class_of[server]];
    return stage_.value_weight * table_.options[option].value;
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  Assignment& assignment_;
  double worth_ = 0;
  double gain_ = 0;
  double dear_ = 0;                       // more than serving any server costs
  std::vector<std::int64_t> least_left_;  // [resources] below 0 where cards lack
  std::vector<Target> targets_;
  std::vector<Step> moves_;
  std::vector<Kind> kinds_;
  std::vector<Exchange> found_;
  HalfTable halves_;
};

}  // namespace

void exchange(const Table& table, const Stage& stage, const Prices& prices, int max_rounds,
              Assignment& assignment) {
  Exchanger exchanger(table, stage, prices, assignment);
  std::int64_t lacked = lack(table, stage, assignment);
  double gained = 0;
  for (int round = 0; round < max_rounds && exchanger.round(); ++round) {
    gained += exchanger.gain();
    const bool repaired = std::exchange(lacked, lack(table, stage, assignment)) > lacked;
    if (!repaired && exchanger.gain() <= kLeastGain * gained) break;
  }
}

void repair_by_exchanges(const Table& table, const Stage& stage, const Prices& prices,
                         int max_rounds, Assignment& assignment) {
  Exchanger exchanger(table, stage, prices, assignment);
  for (int round = 0; round < max_rounds && lack(table, stage, assignment) > 0; ++round) {
    if (!exchanger.round()) break;
  }
}

}  // namespace tonnage::price
