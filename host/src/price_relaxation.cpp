#include "price_relaxation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <utility>

#include "linear_program.hpp"
#include "parallel.hpp"
#include "price_moves.hpp"
#include "price_rounding.hpp"

namespace tonnage::price {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kNone = Packing::kNone;

// What costs may differ by and count as equal.
constexpr double kTolerance = 1e-7;
// Rounds of cuts, at most and in a row that close less than a share of what is left to close; where
// choices are decided, only the first that pays little.
constexpr int kMaxRounds = 12, kMaxIdle = 2;
constexpr double kIdle = 0.02;
constexpr int kMaxPricings = 6;
// Columns of one effect to start with, ties and others, and added at a time.
constexpr std::size_t kTies = 40, kOthers = 8, kAdded = 20;
constexpr std::size_t kMaxFirst = 3000;  // that are no ties
constexpr std::size_t kMaxCuts = 50;     // added at a time
constexpr std::size_t kKeptCuts = 80;    // beyond so many those that do not bind are forgotten
// Shares and cuts that differ from whole ones, and from holding, by less than this count as such.
constexpr double kFraction = 1e-5, kLeastEfficacy = 1e-4, kSlack = 1e-6;
constexpr double kNothing = 1e-9;  // a share of a cut that the linear program does without
// What exceeding a row costs, as a multiple of the dearest price.
constexpr double kExcess = 100;
// What a pass takes beyond its players, in players.
constexpr std::int64_t kPassPlayers = 20000;
// What making a cut takes of every effect, in terms of a sum; and so many terms are a step of work.
constexpr std::int64_t kRoundingSums = 16, kSumsAtOnce = 16;

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
      : table_(table),
        stage_(stage),
        prices_(prices),
        num_threads_(num_threads),
        iterations_(iterations),
        reference_(cheapest_choices(table, stage, prices, num_threads)),
        bound_(respond(table, stage, prices, num_threads).bound()) {
    list_rows();
    list_slots();
    start();
  }

  Relaxed relax(const std::vector<Decision>& decisions, double enough, std::int64_t most_work) {
    const std::int64_t last = work() + most_work;
    const bool possible = decide(decisions);
    best_ = {decisions.empty() ? bound_ : -kInfinity, prices_, {}, reference_};
    best_tolls_.clear();
    if (!possible) {
      best_.bound = kInfinity;
      return best_;
    }
    const int most_idle = decisions.empty() ? kMaxIdle : 1;
    if (settle()) {
      for (int round = 0, idle = 0; round < kMaxRounds && idle < most_idle; ++round) {
        const double before = best_.bound;
        if (before >= enough - kTolerance || work() >= last || !separate() || !settle() ||
            !drop_slack())
          break;
        idle = best_.bound - before > kIdle * (enough - before) ? 0 : idle + 1;
      }
      read_solution();
    } else if (lp_.is_impossible()) {
      best_.bound = kInfinity;
    }
    if (decisions.empty() && !best_tolls_.empty()) write_tolls();
    return best_;
  }

  [[nodiscard]] std::int64_t work() const {
    return passes_ * (num_players() + kPassPlayers) + lp_.work() + sums_ / kSumsAtOnce;
  }

 private:
  struct Column {
    std::int64_t player, option;
    std::int32_t slot;
  };
  // A player of the linear program.
  struct Member {
    std::int32_t row;
    std::vector<std::int32_t> columns;  // indices into columns_
  };

  [[nodiscard]] std::int64_t num_players() const { return reference_.num_players(); }

  [[nodiscard]] double objective_of_choice(std::int64_t player, std::int64_t option) const {
    if (option == kNone) return stage_.skip_cost[table_.class_of[player]];
    return stage_.value_weight * table_.options[option].value;
  }
  [[nodiscard]] double cost(std::int64_t player, std::int64_t option) const {
    if (option == kNone) return prices_.skip[table_.class_of[player]];
    return table_.cost_of(table_.options[option], stage_.value_weight, prices_.resource);
  }

  [[nodiscard]] std::size_t index_of(std::int64_t player, std::int64_t option) const {
    return static_cast<std::size_t>(option == kNone ? std::ssize(table_.options) + player : option);
  }
  [[nodiscard]] std::int32_t slot_of(std::int64_t player, std::int64_t option) const {
    return slots_[index_of(player, option)];
  }

  // Calls body(option) for what a player may choose but for its choice in the reference.
  template <class Body>
  void for_choices(std::int64_t player, const Body& body) const {
    const std::int64_t now = reference_.option_of(player);
    for (std::int64_t o = table_.first[player]; o < table_.first[player + 1]; ++o) {
      if (o != now) body(o);
    }
    if (now != kNone && !stage_.is_forced(table_.class_of[player])) body(kNone);
  }

  // Rows: resources, then classes with a level.
  void list_rows() {
    for (std::int32_t r = 0; r < table_.num_resources; ++r) {
      room_.push_back(static_cast<double>(reference_.left(r)));
      dearest_ = std::max(dearest_, prices_.resource[r]);
    }
    for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
      row_of_class_.push_back(stage_.is_priced(k) ? static_cast<std::int32_t>(room_.size()) : -1);
      if (!stage_.is_priced(k)) continue;
      room_.push_back(static_cast<double>(stage_.may_skip[k] - reference_.skipped(k)));
      dearest_ = std::max(dearest_, prices_.skip[k] - stage_.skip_cost[k]);
    }
  }

  void add_effect(std::int64_t player, std::int64_t option, double sign,
                  std::vector<Effects::Entry>& effect) const {
    const auto add = [&](std::int32_t row, double amount) {
      for (Effects::Entry& e : effect) {
        if (e.row == row) {
          e.amount += sign * amount;
          return;
        }
      }
      effect.push_back({row, sign * amount});
    };
    if (option == kNone) {
      const std::int32_t row = row_of_class_[table_.class_of[player]];
      if (row >= 0) add(row, 1);
      return;
    }
    table_.for_uses(table_.options[option], [&](std::int32_t r, double amount) {
      if (r < table_.num_resources) add(r, amount);
    });
  }

  void list_slots() {
    slots_.assign(table_.options.size() + static_cast<std::size_t>(num_players()), 0);
    std::vector<Effects::Entry> effect;
    for (std::int64_t p = 0; p < num_players(); ++p) {
      for_choices(p, [&](std::int64_t o) {
        effect.clear();
        add_effect(p, o, 1, effect);
        add_effect(p, reference_.option_of(p), -1, effect);
        std::erase_if(effect, [](const Effects::Entry& e) { return e.amount == 0; });
        std::sort(effect.begin(), effect.end(),
                  [](const Effects::Entry& a, const Effects::Entry& b) { return a.row < b.row; });
        slots_[index_of(p, o)] = effects_.find(effect);
      });
    }
  }

  // The first columns: ties and what costs little more.
  void start() {
    std::vector<LinearProgram::Row> rows;
    std::vector<LinearProgram::Column> excess;
    for (std::size_t r = 0; r < room_.size(); ++r) {
      rows.push_back({room_[r], {}});
      excess.push_back({kExcess * (dearest_ > 0 ? dearest_ : 1),
                        kInfinity,
                        {{static_cast<std::int32_t>(r), -1.0}}});
    }
    lp_.add_rows(rows);
    lp_.add_columns(excess);
    cut_of_row_.assign(room_.size(), -1);
    CheapestMoves moves({kTies, kOthers, kTolerance});
    for (std::int64_t p = 0; p < num_players(); ++p) {
      const double before = cost(p, reference_.option_of(p));
      for_choices(p, [&](std::int64_t o) {
        moves.add(static_cast<std::uint64_t>(slot_of(p, o)), {cost(p, o) - before, p, o});
      });
    }
    std::vector<Move> chosen = moves.all();
    std::sort(chosen.begin(), chosen.end(), by_rise);
    std::size_t others = 0;
    std::erase_if(chosen,
                  [&](const Move& m) { return m.rise > kTolerance && ++others > kMaxFirst; });
    add_columns(std::move(chosen));
  }

  [[nodiscard]] std::int32_t lp_column(std::int32_t column) const {
    return static_cast<std::int32_t>(room_.size()) + column;
  }

  void add_columns(std::vector<Move> moves) {
    std::sort(moves.begin(), moves.end(), by_player);
    std::vector<LinearProgram::Row> rows;
    for (const Move& m : moves) {
      const auto row = static_cast<std::int32_t>(cut_of_row_.size());
      if (!members_.try_emplace(m.player, Member{row, {}}).second) continue;
      cut_of_row_.push_back(-1);
      rows.push_back({1.0, {}});
      for_choices(m.player, [&](std::int64_t o) {
        std::int32_t& slot = slots_[index_of(m.player, o)];
        for (Cut& cut : cuts_) cut.share.push_back(cut.share[slot]);
        if (!best_tolls_.empty()) best_tolls_.push_back(best_tolls_[slot]);
        slot = effects_.copy(slot);
      });
    }
    if (!rows.empty()) lp_.add_rows(rows);
    std::vector<LinearProgram::Column> columns;
    for (const Move& m : moves) {
      const std::int32_t slot = slot_of(m.player, m.to);
      Member& member = members_.at(m.player);
      LinearProgram::Column column;
      column.objective = objective_of_choice(m.player, m.to) -
                         objective_of_choice(m.player, reference_.option_of(m.player));
      column.most = kInfinity;
      for (const auto* e = effects_.begin(slot); e != effects_.end(slot); ++e) {
        column.entries.emplace_back(e->row, e->amount);
      }
      column.entries.emplace_back(member.row, 1.0);
      for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
        if (cut_of_row_[row] < 0) continue;
        const double share = cuts_[cut_of_row_[row]].share[slot];
        if (share >= 0 && share < kNothing) continue;
        column.entries.emplace_back(static_cast<std::int32_t>(row), share);
      }
      member.columns.push_back(static_cast<std::int32_t>(columns_.size()));
      columns.push_back(std::move(column));
      columns_.push_back({m.player, m.to, slot});
    }
    if (!columns.empty()) lp_.add_columns(columns);
  }

  // Leaves players whose choices are decided what they may take, and all others everything. False:
  // somebody may take nothing.
  bool decide(const std::vector<Decision>& decisions) {
    for (const auto& [player, allowed] : allowed_) {
      if (!members_.contains(player)) continue;
      const Member& member = members_.at(player);
      for (const std::int32_t c : member.columns) lp_.set_most(lp_column(c), kInfinity);
      lp_.set_lower(member.row, -kInfinity);
    }
    allowed_.clear();
    for (const Decision& d : decisions) {
      const auto [at, fresh] = allowed_.try_emplace(d.player);
      auto& allowed = at->second;
      if (fresh) {
        allowed.push_back(reference_.option_of(d.player));
        for_choices(d.player, [&](std::int64_t o) { allowed.push_back(o); });
      }
      std::erase_if(allowed, [&](std::int64_t o) { return (o == d.option) != d.takes; });
    }
    for (const auto& [player, allowed] : allowed_) {
      if (allowed.empty()) return false;
    }
    std::vector<Move> lacking;
    for (const auto& [player, allowed] : allowed_) {
      for (const std::int64_t o : allowed) {
        if (o == reference_.option_of(player) || has_column(player, o)) continue;
        lacking.push_back({0, player, o});
      }
    }
    add_columns(std::move(lacking));
    for (const auto& [player, allowed] : allowed_) {
      if (!members_.contains(player)) continue;  // nothing but the choice of the reference
      const auto may = [&](std::int64_t o) {
        return std::find(allowed.begin(), allowed.end(), o) != allowed.end();
      };
      const Member& member = members_.at(player);
      for (const std::int32_t c : member.columns) {
        if (!may(columns_[c].option)) lp_.set_most(lp_column(c), 0);
      }
      if (!may(reference_.option_of(player))) lp_.set_lower(member.row, 1);
    }
    return true;
  }

  [[nodiscard]] bool has_column(std::int64_t player, std::int64_t option) const {
    const auto member = members_.find(player);
    if (member == members_.end()) return false;
    return std::any_of(member->second.columns.begin(), member->second.columns.end(),
                       [&](std::int32_t c) { return columns_[c].option == option; });
  }

  // Solves the linear program, with more columns until no other would help, and keeps the prices of
  // the best bound. False: there is no solution.
  bool settle() {
    if (!lp_.solve()) return false;
    for (int i = 0; i < kMaxPricings; ++i) {
      std::vector<Move> better = price();
      if (better.empty()) break;
      add_columns(std::move(better));
      if (!lp_.solve()) return false;
    }
    return true;
  }

  // The bound at the prices of the linear program, and the choices that it lacks.
  std::vector<Move> price() {
    const std::vector<double> prices = lp_.prices();
    const auto price_of = [&](std::size_t row) { return std::max(0.0, prices[row]); };
    std::vector<double> tolls(static_cast<std::size_t>(effects_.size()), 0.0);
    sums_ += effects_.size() * std::ssize(cuts_);
    double most = 0;
    for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
      if (cut_of_row_[row] < 0 || price_of(row) == 0) continue;
      const Cut& cut = cuts_[cut_of_row_[row]];
      for (std::size_t s = 0; s < tolls.size(); ++s) tolls[s] += price_of(row) * cut.share[s];
      most += price_of(row) * cut.most;
    }
    std::vector<double> costs = tolls;
    double bound = -most;
    for (std::size_t r = 0; r < room_.size(); ++r) bound -= price_of(r) * room_[r];
    for (std::int32_t s = 0; s < effects_.size(); ++s) {
      for (const auto* e = effects_.begin(s); e != effects_.end(s); ++e) {
        costs[s] += price_of(e->row) * e->amount;
      }
    }
    const auto rise_of = [&](std::int64_t p, std::int64_t o) {
      return objective_of_choice(p, o) - objective_of_choice(p, reference_.option_of(p)) +
             costs[slot_of(p, o)];
    };
    struct Part {
      double bound = 0, magnitude = 0;
      std::vector<Move> better;
    };
    std::vector<Part> parts(static_cast<std::size_t>((num_players() + kChunk - 1) / kChunk));
    parallel_chunks(num_players(), kChunk, num_threads_, [&](std::int64_t begin, std::int64_t end) {
      Part& part = parts[begin / kChunk];
      for (std::int64_t p = begin; p < end; ++p) {
        Move best{0, p, kNone};
        for_choices(p, [&](std::int64_t o) {
          const double rise = rise_of(p, o);
          if (rise < best.rise) best = {rise, p, o};
        });
        const double now = objective_of_choice(p, reference_.option_of(p));
        part.bound += now + best.rise;
        part.magnitude += std::abs(now) + std::abs(best.rise);
        if (best.rise < -kTolerance) part.better.push_back(best);
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
        least = std::min(least, o == reference_.option_of(player) ? 0 : rise_of(player, o));
      }
      for_choices(player, [&](std::int64_t o) { free = std::min(free, rise_of(player, o)); });
      bound += least - free;
      magnitude += std::abs(least) + std::abs(free);
    }
    bound -= magnitude *
             static_cast<double>(kChunk + std::ssize(parts) + std::ssize(allowed_) + 64) *
             std::numeric_limits<double>::epsilon();
    CheapestMoves better({0, kAdded, 0});
    for (const Part& part : parts) {
      for (const Move& m : part.better) {
        if (allowed_.contains(m.player)) continue;  // all its columns are there
        const auto member = members_.find(m.player);
        // Prices of players' rows say what the linear program knows of already.
        if (member != members_.end() && m.rise + prices[member->second.row] >= -kTolerance) {
          continue;
        }
        better.add(static_cast<std::uint64_t>(slot_of(m.player, m.to)), m);
      }
    }
    if (bound > best_.bound) {
      best_.bound = bound;
      best_tolls_ = std::move(tolls);
      best_.tolls.most = most;
      for (std::int32_t r = 0; r < table_.num_resources; ++r)
        best_.prices.resource[r] = price_of(r);
      for (std::int32_t k = 0; k < stage_.num_classes; ++k) {
        if (row_of_class_[k] < 0) continue;
        best_.prices.skip[k] = stage_.skip_cost[k] + price_of(row_of_class_[k]);
      }
    }
    return better.all();
  }

  // A player's share of its reference, and its largest.
  struct Shares {
    double of_reference = 1, largest = 0;
    std::int32_t column = -1;  // that has the largest
  };
  [[nodiscard]] Shares shares_of(const Member& member, const std::vector<double>& x) const {
    Shares shares;
    for (const std::int32_t c : member.columns) {
      const double share = x[lp_column(c)];
      shares.of_reference -= share;
      if (share > shares.largest) {
        shares.largest = share;
        shares.column = c;
      }
    }
    return shares;
  }

  [[nodiscard]] std::vector<std::int64_t> members_in_order() const {
    std::vector<std::int64_t> players;
    for (const auto& [player, member] : members_) players.push_back(player);
    std::sort(players.begin(), players.end());
    return players;
  }

  // Cuts off the solution of the linear program. False: it is whole, or no cut is found.
  bool separate() {
    const std::vector<double> x = lp_.x();
    std::vector<Moved> moved;
    for (const std::int64_t p : members_in_order()) {
      const Shares shares = shares_of(members_.at(p), x);
      if (shares.column < 0 || shares.largest <= shares.of_reference) continue;
      Moved m{columns_[shares.column].slot, {}};
      for_choices(p, [&](std::int64_t o) { m.own.push_back(slot_of(p, o)); });
      moved.push_back(std::move(m));
    }
    std::vector<double> left = room_;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const double share = x[room_.size() + c];
      if (share == 0) continue;
      const std::int32_t slot = columns_[c].slot;
      for (const auto* e = effects_.begin(slot); e != effects_.end(slot); ++e) {
        left[e->row] -= share * e->amount;
      }
    }
    struct Found {
      double efficacy;
      Cut cut;
    };
    std::vector<Found> found;
    const std::vector<std::int32_t> basis = lp_.basis();
    for (std::size_t place = 0; place < basis.size(); ++place) {
      const auto variable = static_cast<std::size_t>(basis[place]);
      double value = 0;
      if (variable >= room_.size() && variable < x.size()) value = x[variable];
      if (variable >= x.size() && variable - x.size() < room_.size()) {
        value = left[variable - x.size()];
      }
      if (std::abs(value - std::round(value)) < kFraction) continue;
      const std::vector<double> inverse = lp_.inverse_row(static_cast<std::int32_t>(place));
      for (const double sign : {1.0, -1.0}) {
        sums_ += effects_.size() * (std::ssize(cuts_) + kRoundingSums);
        Cut cut;
        if (!round_rows(effects_, room_, combination(inverse, sign), moved, num_players(), cut)) {
          continue;
        }
        double sum = 0, norm = 0;
        for (std::size_t c = 0; c < columns_.size(); ++c) {
          const double share = cut.share[columns_[c].slot];
          sum += share * x[room_.size() + c];
          norm += share * share;
        }
        const double efficacy = (sum - cut.most) / std::sqrt(norm);
        if (efficacy > kLeastEfficacy) found.push_back({efficacy, std::move(cut)});
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Found& a, const Found& b) { return a.efficacy > b.efficacy; });
    if (found.size() > kMaxCuts) found.resize(kMaxCuts);
    std::vector<LinearProgram::Row> rows;
    for (Found& f : found) {
      LinearProgram::Row row{f.cut.most, {}};
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const double share = f.cut.share[columns_[c].slot];
        if (share >= 0 && share < kNothing) continue;
        row.entries.emplace_back(lp_column(static_cast<std::int32_t>(c)), share);
      }
      rows.push_back(std::move(row));
      cut_of_row_.push_back(static_cast<std::int32_t>(cuts_.size()));
      cuts_.push_back(std::move(f.cut));
    }
    if (!rows.empty()) lp_.add_rows(rows);
    return !rows.empty();
  }

  [[nodiscard]] Combination combination(const std::vector<double>& inverse, double sign) const {
    Combination result;
    for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
      if (row < room_.size()) {
        result.u.push_back(sign * inverse[row]);
      } else if (cut_of_row_[row] >= 0 && std::abs(inverse[row]) > kNothing) {
        result.cuts.emplace_back(&cuts_[cut_of_row_[row]], sign * inverse[row]);
      }
    }
    return result;
  }

  // Forgets cuts that do not bind, below any decision only if there are many.
  bool drop_slack() {
    if (!allowed_.empty() && cuts_.size() <= kKeptCuts) return true;
    const std::vector<double> x = lp_.x();
    std::vector<std::int32_t> dropped, cut_of_row, row_now;
    std::vector<Cut> kept;
    for (std::size_t row = 0; row < cut_of_row_.size(); ++row) {
      row_now.push_back(static_cast<std::int32_t>(cut_of_row.size()));
      if (cut_of_row_[row] < 0) {
        cut_of_row.push_back(-1);
        continue;
      }
      Cut& cut = cuts_[cut_of_row_[row]];
      double rest = cut.most;
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        rest -= cut.share[columns_[c].slot] * x[room_.size() + c];
      }
      if (rest > kSlack) {
        dropped.push_back(static_cast<std::int32_t>(row));
        continue;
      }
      cut_of_row.push_back(static_cast<std::int32_t>(kept.size()));
      kept.push_back(std::move(cut));
    }
    cuts_ = std::move(kept);
    cut_of_row_ = std::move(cut_of_row);
    if (dropped.empty()) return true;
    for (auto& [player, member] : members_) member.row = row_now[member.row];
    lp_.remove_rows(dropped);
    return lp_.solve();
  }

  // Everybody's largest share, and what to decide where that is not all: about whoever pays most
  // for cards and is least decided, about going without before all else.
  void read_solution() {
    const std::vector<double> x = lp_.x();
    double most = 0;
    for (const std::int64_t p : members_in_order()) {
      const Member& member = members_.at(p);
      const Shares shares = shares_of(member, x);
      if (shares.column >= 0 && shares.largest > shares.of_reference) {
        best_.choices.put(p, columns_[shares.column].option);
      }
      const double largest = std::max(shares.largest, shares.of_reference);
      if (largest > 1 - kFraction) continue;
      double pays = 0;
      std::int64_t option = best_.choices.option_of(p);
      const auto look = [&](std::int64_t o, double share) {
        if (share < kFraction) return;
        if (o == kNone) {
          option = kNone;
          return;
        }
        const FlatOption& own = table_.options[o];
        pays = std::max(pays, table_.cost_of(own, 0, best_.prices.resource));
      };
      look(reference_.option_of(p), shares.of_reference);
      for (const std::int32_t c : member.columns) look(columns_[c].option, x[lp_column(c)]);
      const double stake = pays * std::min(1 - largest, 0.5);
      if (best_.next.player >= 0 && stake <= most) continue;
      most = stake;
      best_.next = {p, option, true};
    }
  }

  // Tolls of options: what going without pays is taken off the others of its player.
  void write_tolls() {
    Tolls& tolls = best_.tolls;
    tolls.of_option.assign(table_.options.size(), 0.0);
    for (std::int64_t p = 0; p < num_players(); ++p) {
      const auto toll = [&](std::int64_t o) {
        return best_tolls_[static_cast<std::size_t>(slot_of(p, o))];
      };
      const double without = stage_.is_forced(table_.class_of[p]) ? 0 : toll(kNone);
      for (std::int64_t o = table_.first[p]; o < table_.first[p + 1]; ++o) {
        tolls.of_option[o] = toll(o) - without;
      }
      tolls.most -= without;
    }
  }

  const Table& table_;
  const Stage& stage_;
  const Prices& prices_;
  int num_threads_;
  std::int64_t& iterations_;
  std::int64_t passes_ = 0, sums_ = 0;
  const Packing reference_;
  double bound_;              // of the prices
  std::vector<double> room_;  // [rows of resources and levels] what the reference leaves
  double dearest_ = 0;        // of their prices
  std::vector<std::int32_t> row_of_class_;  // -1: none
  Effects effects_;
  std::vector<std::int32_t> slots_;  // [options, players going without]
  LinearProgram lp_;                 // columns: excess of every row, then columns_
  std::vector<Column> columns_;
  std::unordered_map<std::int64_t, Member> members_;
  std::vector<std::int32_t> cut_of_row_;  // [rows of lp_] -1: none
  std::vector<Cut> cuts_;
  std::unordered_map<std::int64_t, std::vector<std::int64_t>> allowed_;  // of players decided about
  std::vector<double> best_tolls_;                                       // [slots]
  Relaxed best_{0, {}, {}, reference_};
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
