#include "tonnage/host/price_selection.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>

#include "exact_choice.hpp"
#include "leftovers.hpp"
#include "price_exact.hpp"
#include "price_packing.hpp"

namespace tonnage {
namespace {

using price::Packing;
using price::Prices;
using price::Proof;
using price::Stage;
using price::Table;

// Where players only count, their values decide among the many plans that serve as many: by so
// much of a player's spread of values.
constexpr double kValueInCounts = 1e-5;
constexpr double kCountTolerance = 1e-6;
// How plans are made from prices. Values that tie are told apart by adding shares of a player's
// spread of values to them. Where servers count, values weigh `factor` times what they do in the
// search for a bound. Where values count, plans are aimed at levels below what they must hold, by a
// share of what lies between that and the bound of the level.
struct CountAim {
  double factor, jitter;
};
struct ValueAim {
  double reserve, jitter;
};
constexpr CountAim kCountAims[] = {{100, 1e-3}, {10, 1e-2}, {1, 0.1}, {100, 1e-2},
                                   {10, 0.1},   {1, 1},     {1, 0}};
constexpr ValueAim kValueAims[] = {{0.5, 1e-4}, {0.2, 1e-3}, {0.8, 1e-3}, {0.5, 1e-2}, {0.2, 1e-4},
                                   {0.8, 1e-4}, {0.5, 1e-3}, {0.2, 1e-2}, {0.8, 1e-2}};
// So many aims are tried; fewer where that takes long.
constexpr std::int64_t kMinAims = 4, kAimedPlayers = 1200000;
// So many of the plans made are improved; fewer where that takes long.
constexpr std::int64_t kMinPolished = 2, kMaxPolished = 12;
constexpr std::int64_t kPolishedPlayers = 150000;
// Prices for a bound, and for a plan: shares of the bound by which they may miss it.
constexpr double kBoundTolerance = 1e-10, kPlanTolerance = 1e-10;
constexpr int kImproveRounds = 20;
constexpr int kMinExchangeRounds = 3, kMaxExchangeRounds = 50;
constexpr std::int64_t kExchangedPlayers = 2000000;  // walked in all rounds together
// Beyond so many players exact searches take long and find little that prices did not.
constexpr std::int64_t kMaxSearched = 1500;
constexpr price::RestLimits kFirstLook{2000, 3000, 150, 1200000};
constexpr price::RestLimits kSecondLook{6000, 5000, 100, 1200000};
// A plan this near to its bound is as good as proven: cents/hour, and share of the values' sum.
constexpr double kValueTolerance = 1e-6;
constexpr double kRelativeTolerance = 1e-11;
// Service levels may turn out better than the stages before found; then the last stage is redone.
constexpr int kMaxRepeats = 3;

class Clock {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// The greedy plan in terms of the flat table; an option that was dropped gives way to the one that
// beats it.
Packing greedy_packing(const OptionTable& from, const Table& table) {
  const std::vector<Choice> choices = select_greedy(from, SaturationPolicy::kNone, false);
  Packing packing(table, table.num_classes());
  for (std::int64_t p = 0; p < table.num_players(); ++p) {
    const std::int64_t chosen = choices[table.server[p]].option;
    if (chosen < 0) continue;
    const Option& option = from.options[chosen];
    for (std::int64_t o = table.first[p]; o < table.first[p + 1]; ++o) {
      const price::FlatOption& flat = table.options[o];
      bool beats = flat.value <= option.objective;
      table.for_uses(flat, [&](std::int32_t r, double amount) {
        beats = beats && (amount == 0 || static_cast<std::int64_t>(amount) <= from.taken(option, r));
      });
      if (!beats) continue;
      packing.put(p, o);
      break;
    }
  }
  return packing;
}

class PriceSolver {
 public:
  PriceSolver(const OptionTable& from, const PriceOptions& options)
      : from_(from), options_(options), table_(price::flatten(from)), best_(table_, 0) {
    double spread = 0;
    for (std::int64_t p = 0; p < table_.num_players(); ++p) {
      const auto own = table_.options_of(p);
      spread += own.back().value - own.front().value;
      largest_value_ =
          std::max({largest_value_, std::abs(own.front().value), std::abs(own.back().value)});
      sum_of_values_ += std::max(std::abs(own.front().value), std::abs(own.back().value));
    }
    spread /= static_cast<double>(std::max<std::int64_t>(1, table_.num_players()));
    if (spread > 0) spread_ = spread;
    count_weight_ = kValueInCounts / spread_;
  }

  Selection solve() {
    const Packing greedy = greedy_packing(from_, table_);
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      report(k);
      count_stage(k, greedy);
    }
    report(table_.num_classes());
    for (int i = 0; i < kMaxRepeats; ++i) {
      const std::vector<std::int64_t> before = best_.skipped();
      value_stage(greedy, i == 0);
      if (best_.skipped() == before) break;
    }
    settle_bounds();
    return finish();
  }

 private:
  void exchange_moves(const Stage& stage, const Prices& prices, Packing& plan) const {
    const std::int64_t rounds = kExchangedPlayers / (table_.num_players() + 1);
    exchange(table_, stage, prices,
             std::clamp(static_cast<int>(rounds), kMinExchangeRounds, kMaxExchangeRounds), plan);
  }

  void report(std::int64_t stages_done) const {
    if (options_.progress) options_.progress("selecting", stages_done, table_.num_classes() + 1);
  }

  // Unserved players of class `rank` at the levels reached so far, values breaking ties.
  [[nodiscard]] Stage count_stage_of(std::int32_t rank, double value_weight) const {
    Stage stage;
    stage.num_classes = rank + 1;
    stage.value_weight = value_weight;
    stage.skip_cost.assign(static_cast<std::size_t>(rank) + 1, 0.0);
    stage.skip_cost[rank] = 1;
    stage.may_skip.assign(best_.skipped().begin(), best_.skipped().begin() + rank);
    stage.may_skip.push_back(Stage::kNoLimit);
    return stage;
  }
  [[nodiscard]] Stage value_stage_of() const {
    Stage stage;
    stage.num_classes = table_.num_classes();
    stage.skip_cost.assign(static_cast<std::size_t>(stage.num_classes), 0.0);
    stage.may_skip = best_.skipped();
    return stage;
  }

  void keep(const Packing& candidate) {
    if (is_better(table_, candidate, best_)) best_ = candidate;
  }

  // Everybody's cheapest choice at prices found for values that do not tie, made to fit.
  [[nodiscard]] Packing round_jittered(const Stage& stage, const Prices& start, double jitter) {
    const Table table = jittered(table_, jitter * spread_);
    const Prices prices =
        maximise_dual(table, stage, start, kPlanTolerance, options_.num_threads, iterations_);
    const Packing rounded = round_prices(table, stage, prices, options_.num_threads);
    Packing packing(table_, stage.num_classes);
    for (std::int64_t p = 0; p < packing.num_players(); ++p) packing.put(p, rounded.option_of(p));
    restore_levels(table_, stage, packing);
    fill(table_, stage, start, packing);
    return packing;
  }

  template <class Aim, std::size_t kCount>
  [[nodiscard]] std::span<const Aim> worthwhile(const Aim (&aims)[kCount]) const {
    const std::int64_t most =
        std::clamp<std::int64_t>(kAimedPlayers / (table_.num_players() + 1), kMinAims, kCount);
    return std::span<const Aim>(aims).first(static_cast<std::size_t>(most));
  }

  static bool falls_short(const Stage& stage, const Packing& packing) {
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      if (packing.skipped(k) > stage.may_skip[k]) return true;
    }
    return false;
  }

  // What a plan costs at prices of service levels, those of classes that must be served whole
  // aside.
  [[nodiscard]] double priced(const Stage& stage, const Prices& prices,
                              const Packing& packing) const {
    double cost = stage.value_weight * packing.value(table_);
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      if (!stage.is_forced(k)) cost += prices.skip[k] * static_cast<double>(packing.skipped(k));
    }
    return cost;
  }

  // Improves the best of some plans, as far as the prices tell, and keeps what is better.
  template <class Good>
  void polish(const Stage& stage, const Prices& prices, std::vector<Packing> plans,
              const Good& good) {
    const auto forced = [&](const Packing& plan) {
      std::int64_t sum = 0;
      for (std::int32_t k = 0; k < stage.num_classes; ++k) {
        if (stage.is_forced(k)) sum += plan.skipped(k);
      }
      return sum;
    };
    std::vector<std::pair<std::pair<std::int64_t, double>, std::size_t>> order;
    for (std::size_t i = 0; i < plans.size(); ++i) {
      order.push_back({{forced(plans[i]), priced(stage, prices, plans[i])}, i});
    }
    std::sort(order.begin(), order.end());
    const auto most = static_cast<std::size_t>(
        std::clamp(kPolishedPlayers / (table_.num_players() + 1), kMinPolished, kMaxPolished));
    if (order.size() > most) order.resize(most);
    for (const auto& [merit, i] : order) {
      if (good(best_)) return;
      improve(table_, stage, prices, kImproveRounds, plans[i]);
      if (falls_short(stage, plans[i])) {
        exchange_moves(stage, prices, plans[i]);
      }
      keep(plans[i]);
    }
  }

  void count_stage(std::int32_t rank, const Packing& greedy) {
    best_.extend(table_, rank + 1);
    const Stage stage = count_stage_of(rank, count_weight_);
    const Stage pure = count_stage_of(rank, 0);
    const Prices prices = maximise_dual(table_, stage, zero_prices(table_, stage), kBoundTolerance,
                                        options_.num_threads, iterations_);
    Prices of_bound = prices;
    // Below 0 as it may be: what a better plan may consist of follows from it.
    least_skipped_.push_back(respond(table_, pure, prices, options_.num_threads).bound());
    Proof proof;
    proof.bound = least_skipped_.back();
    const auto done = [&](const Packing& p) {
      const double least = std::max(0.0, std::ceil(proof.bound - kCountTolerance));
      return !falls_short(stage, p) && static_cast<double>(p.skipped(rank)) <= least;
    };

    fill(table_, stage, prices, best_);
    Packing greedy_part(table_, rank + 1);
    for (std::int64_t p = 0; p < greedy_part.num_players(); ++p) {
      greedy_part.put(p, greedy.option_of(p));
    }
    keep(greedy_part);
    if (!done(best_)) {
      // What values weigh costs the bound of a large fleet some servers.
      const Prices bare =
          maximise_dual(table_, pure, prices, kBoundTolerance, options_.num_threads, iterations_);
      const double bound = respond(table_, pure, bare, options_.num_threads).bound();
      if (bound > least_skipped_.back()) {
        least_skipped_.back() = bound;
        proof.bound = bound;
        of_bound = bare;
      }
    }
    std::vector<Packing> plans;
    for (const CountAim& aim : worthwhile(kCountAims)) {
      if (done(best_)) break;
      plans.push_back(
          round_jittered(count_stage_of(rank, aim.factor * count_weight_), prices, aim.jitter));
      keep(plans.back());
    }
    polish(stage, prices, std::move(plans), done);
    if (!done(best_)) improve(table_, stage, prices, kImproveRounds, best_);
    if (!done(best_)) exchange_moves(stage, prices, best_);
    proof.objective = static_cast<double>(best_.skipped(rank));
    if (!done(best_)) search_rest(pure, of_bound, stage, prices, proof);
    proof.bound =
        std::min(proof.objective, std::max(0.0, std::ceil(proof.bound - kCountTolerance)));
    prices_.push_back(std::move(of_bound));
    proofs_.push_back(proof);
    seconds_.push_back(clock_.lap());
  }

  void value_stage(const Packing& greedy, bool first) {
    const Stage stage = value_stage_of();
    Prices start = zero_prices(table_, stage);
    if (!first) {
      start.resource = prices_.back().resource;
      prices_.pop_back();
      proofs_.pop_back();
    } else if (std::ssize(options_.start_prices) == table_.num_types) {
      std::copy(options_.start_prices.begin(), options_.start_prices.end(), start.resource.begin());
    }
    const Prices prices =
        maximise_dual(table_, stage, start, kBoundTolerance, options_.num_threads, iterations_);
    Proof proof;
    proof.bound = respond(table_, stage, prices, options_.num_threads).bound();
    const auto done = [&](const Packing& p) {
      return p.skipped() == best_.skipped() && p.value(table_) - proof.bound <= tolerance();
    };
    keep(greedy);
    if (!done(best_)) improve(table_, stage, prices, kImproveRounds, best_);
    std::vector<Packing> plans;
    for (const ValueAim& aim : worthwhile(kValueAims)) {
      if (done(best_)) break;
      Stage target = stage;
      for (std::int32_t k = 0; k < stage.num_classes; ++k) {
        target.reserve.push_back(aim.reserve * (static_cast<double>(stage.may_skip[k]) -
                                                std::max(0.0, least_skipped_[k])));
      }
      plans.push_back(round_jittered(target, prices, aim.jitter));
      keep(plans.back());
    }
    polish(stage, prices, std::move(plans), done);
    if (!done(best_)) exchange_moves(stage, prices, best_);
    proof.objective = best_.value(table_);
    if (!done(best_) && best_.skipped() == stage.may_skip) {
      search_rest(stage, prices, stage, prices, proof);
    }
    if (proof.objective - proof.bound <= tolerance()) proof.bound = proof.objective;
    prices_.push_back(prices);
    proofs_.push_back(proof);
    if (first) {
      seconds_.push_back(clock_.lap());
    } else {
      seconds_.back() += clock_.lap();
    }
  }

  // Looks for better plans of a stage (`pure`, whose unit the proof is in) among what the prices of
  // its bound leave open, exactly where that is little.
  void search_rest(const Stage& pure, const Prices& of_bound, const Stage& stage,
                   const Prices& prices, Proof& proof) {
    if (!has_exact_solver() || table_.num_players() > kMaxSearched) return;
    for (price::RestLimits limits : {kFirstLook, kSecondLook}) {
      if (proof.objective <= proof.bound) break;
      const auto progress = solve_rest(table_, pure, of_bound, limits, best_, proof);
      if (progress == price::Progress::kSettled) break;
      exchange_moves(stage, prices, best_);
      proof.objective = objective_of(table_, pure, best_);
    }
  }

  [[nodiscard]] double tolerance() const {
    return kValueTolerance + kRelativeTolerance * sum_of_values_;
  }

  // Bounds of counts once more at the service levels of the final plan.
  void settle_bounds() {
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      Proof& proof = proofs_[k];
      proof.objective = static_cast<double>(best_.skipped(k));
      const Stage pure = count_stage_of(k, 0);
      for (std::int32_t j = 0; j < k; ++j) {
        // A level that turned out to spare nobody needs everybody served.
        if (pure.is_forced(j)) {
          prices_[k].skip[j] = std::numeric_limits<double>::infinity();
        }
      }
      const double bound = respond(table_, pure, prices_[k], options_.num_threads).bound();
      const double whole = std::ceil(bound - kCountTolerance);
      if (whole >= proof.bound) proof.from_prices = true;
      proof.bound = std::min(proof.objective, std::max({0.0, whole, proof.bound}));
    }
  }

  // Class prices of a stage as certificates state them: per server served, finite.
  [[nodiscard]] std::vector<double> class_prices(const Stage& stage, const Prices& prices) const {
    std::vector<double> result(static_cast<std::size_t>(table_.num_classes()), 0.0);
    for (std::int32_t k = 0; k < stage.num_classes; ++k) {
      if (stage.is_priced(k)) result[k] = prices.skip[k] - stage.skip_cost[k];
      if (!stage.is_forced(k)) continue;
      for (std::int64_t p = table_.first_player[k]; p < table_.first_player[k + 1]; ++p) {
        result[k] = std::max(
            result[k], price::cheapest_option(table_, stage.value_weight, prices.resource, p).cost);
      }
    }
    return result;
  }

  void split_prices(const Prices& prices, std::vector<double>& types,
                    std::vector<double>& limits) const {
    const auto first_limit = prices.resource.begin() + table_.num_types;
    types.assign(prices.resource.begin(), first_limit);
    limits.assign(first_limit, prices.resource.end() - 1);
  }

  StageCertificate certificate(const Stage& stage, std::size_t index, double hopeless) const {
    const Proof& proof = proofs_[index];
    StageCertificate c;
    c.objective = proof.objective + hopeless;
    c.lower_bound = proof.bound + hopeless;
    c.proven = c.objective == c.lower_bound;
    c.seconds = seconds_[index];
    if (!proof.from_prices) return c;
    split_prices(prices_[index], c.type_prices, c.limit_prices);
    c.class_prices = class_prices(stage, prices_[index]);
    return c;
  }

  Selection finish() const {
    Selection selection;
    selection.iterations = iterations_;
    selection.choices.resize(static_cast<std::size_t>(from_.num_servers()));
    FreeCards cards(from_);
    for (std::int64_t p = 0; p < table_.num_players(); ++p) {
      if (best_.option_of(p) == Packing::kNone) continue;
      const std::int64_t o = table_.source[best_.option_of(p)];
      selection.choices[table_.server[p]] = {o, from_.options[o].num_replicas};
      cards.take_whole(from_.options[o]);
    }
    share_among_unserved(from_, options_.policy, options_.delayed_best_effort, cards,
                         selection.choices);
    for (std::int32_t k = 0; k < table_.num_classes(); ++k) {
      StageCertificate c = certificate(count_stage_of(k, 0), static_cast<std::size_t>(k),
                                       static_cast<double>(table_.hopeless[k]));
      c.priority = table_.priority[k];
      selection.stages.push_back(std::move(c));
    }
    const Stage last = value_stage_of();
    selection.stages.push_back(certificate(last, proofs_.size() - 1, 0));
    const Prices& prices = prices_.back();
    split_prices(prices, selection.type_prices, selection.limit_prices);
    selection.class_prices = class_prices(last, prices);
    return selection;
  }

  const OptionTable& from_;
  const PriceOptions& options_;
  Table table_;
  Packing best_;
  double spread_ = 1;  // of a player's values, on average
  double count_weight_ = 1;
  double largest_value_ = 0;
  double sum_of_values_ = 0;
  std::int64_t iterations_ = 0;
  std::vector<Prices> prices_;  // [stages]
  std::vector<Proof> proofs_;
  std::vector<double> least_skipped_;  // [classes] as the prices of its stage prove
  std::vector<double> seconds_;
  Clock clock_;
};

}  // namespace

Selection select_price(const OptionTable& table, const PriceOptions& options) {
  return PriceSolver(table, options).solve();
}

}  // namespace tonnage
