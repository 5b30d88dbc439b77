// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Maximises the Lagrangian bound of a stage over prices of resources and classes. In large fleets
// it fixes servers whose choice prices no longer change (fixing.hpp) on the way.
#include "host/select/price/bound/dual.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>

#include "host/select/price/bound/centre_search.hpp"
#include "host/select/price/bound/fixing.hpp"
#include "host/select/price/bound/variables.hpp"

namespace tonnage::price {
namespace {

// Pass limit of a search: a constant plus a number per price. The gap halves every few passes.
constexpr std::size_t kPasses = 60;
constexpr std::size_t kPassesPerPrice = 20;
// A price above kIdle times its first guess is tested: whether kIdleStep of it gives as good a
// bound.
constexpr double kIdle = 16, kIdleStep = 0.25;
// Upper bounds on prices, as multiples of their first guess or of the start. A search that ends
// there is repeated with higher bounds.
constexpr double kFar = 4096, kFarFromStart = 8;
constexpr int kMaxSearches = 6;
// In large fleets servers whose choice prices no longer change are fixed: first after kFirstLeft
// passes, then again after kNextLeft, later after each wrong fixing. In smaller fleets this saves
// little and ends less centrally among equally good prices, which gives worse linear programs and
// plans.
constexpr int kFirstLeft = 24, kNextLeft = 8;
// Expected movement of prices, as a multiple of that in the last passes; kWider times more after a
// wrong fixing.
constexpr std::size_t kLastPasses = 8;
constexpr double kMargin = 2, kWider = 8;
// After this many wrong fixings, fix no server again.
constexpr int kMaxCorrections = 3;
// Start prices from a similar stage are assumed within a share kNear of the best ones, unless they
// are below kLeastNear of the first guesses. The box around them grows if the best point comes
// within kNearSide of a side, and servers are fixed for boxes that may grow by kGrown widths.
constexpr double kNear = 0.02, kLeastNear = 1e-3, kNearSide = 0.25, kGrown = 2;
// The first box of a search without start prices grows if the best prices are above this share of
// it.
constexpr double kSide = 0.5;
// After fixing passes are cheap, so the search is finished to this share of the tolerance.
constexpr double kClose = 0.03;

// One search for the best prices of a stage, from a first guess of them.
class DualSearch {
 public:
  DualSearch(const Table& table, const Stage& stage, const Accuracy& accuracy, int num_threads,
             std::int64_t& iterations)
      : table_(table),
        stage_(stage),
        variables_(table, stage),
        accuracy_(accuracy),
        num_threads_(num_threads),
        iterations_(iterations),
        prices_(zero_prices(table, stage)),
        lower_(variables_.pack(prices_)),
        guess_(variables_.scale()),
        most_of_plans_(variables_.most()) {}

  Prices run(const Prices& start) {
    std::vector<double> x = variables_.pack(start);
    std::vector<double> most = first_most(x);
    for (int i = 0; i < kMaxSearches && improve(x, most) == End::kAtMost; ++i) {
    }
    variables_.unpack(x, prices_);
    return prices_;
  }

  std::optional<Prices> run_once(const Prices& start) {
    std::vector<double> x = variables_.pack(start);
    std::vector<double> most = first_most(x);
    is_bounded_ = true;
    if (improve(x, most) != End::kFound) return std::nullopt;
    variables_.unpack(x, prices_);
    return prices_;
  }

 private:
  enum class End {
    kFound,
    kAtMost,  // prices may be worth more than the most they were let be, which has been raised
    kNoPlan,  // the stage has no plan, and prices may rise for ever
  };

  [[nodiscard]] std::vector<double> first_most(const std::vector<double>& x) const {
    std::vector<double> most(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      most[i] = lower_[i] + std::max(kFar * guess_[i], kFarFromStart * (x[i] - lower_[i]));
    }
    return most;
  }

  End improve(std::vector<double>& x, std::vector<double>& most) {
    const CentreSearch centres = search(x, most);
    x = centres.best_point();
    if (centres.best() > most_of_plans_) return End::kNoPlan;
    if (is_broken_off_) return End::kAtMost;
    lower_idle(x);
    return raise(x, most) ? End::kAtMost : End::kFound;
  }

  Response respond_at(const std::vector<double>& x) {
    variables_.unpack(x, prices_);
    ++iterations_;
    return respond(table_, stage_, prices_, num_threads_);
  }

  // One search for the best prices up to `most`.
  CentreSearch search(std::vector<double> x, const std::vector<double>& most) {
    left_.reset();
    last_.clear();
    const bool may_leave =
        !accuracy_.is_central || table_.first_server[stage_.num_classes] > kLarge;
    const bool is_near = may_leave && size(x) > kLeastNear;
    CentreSearch centres = is_near ? CentreSearch(near_box(x, most), {lower_, most}, kNearSide)
                                   : CentreSearch(first_box(x), {lower_, most}, kSide);
    CentreSearch::Box reached = centres.box();
    if (is_near) fix_within(reached, x);
    int next_left = is_near ? kNextLeft : kFirstLeft, interval = kNextLeft;
    const auto more = static_cast<int>(kPasses + kPassesPerPrice * x.size());
    int passes = more, corrections = 0;
    for (int pass = 0; pass < passes; ++pass) {
      const Response response = respond_of_swayed(x);
      const std::vector<double> slope = left_
                                            ? variables_.slope(left_->table, left_->stage, response)
                                            : variables_.slope(table_, stage_, response);
      centres.add(x, response.value, slope);
      // Zero prices are optimal if nothing is overfull at them.
      const bool nothing_lacks =
          x == lower_ && std::all_of(slope.begin(), slope.end(), [](double g) { return g <= 0; });
      if (nothing_lacks) break;
      // A search from nearby prices reaches the upper bounds only if the stage has no plan, or
      // hardly one.
      is_broken_off_ = is_bounded_ && is_near && is_high(centres.best_point(), most);
      if (is_broken_off_) break;
      x = centres.next();
      const double close = accuracy_.tolerance * std::abs(centres.best()) + response.rounding;
      if (centres.promise() <= (left_ ? kClose * close : close)) {
        if (!left_) break;
        // Some servers may have been fixed too early; their cheapest choices then cost less than
        // assumed.
        const std::vector<double> best = centres.best_point();
        const Response all = respond_at(best);
        if (all.value >= centres.best() - kClose * close) break;
        left_.reset();
        centres.correct(best, all.value, variables_.slope(table_, stage_, all));
        x = centres.next();
        passes = pass + more;
        if (++corrections < kMaxCorrections) {
          for (double& r : reach_) r *= kWider;
          fix(x);
        } else {
          next_left = passes;
        }
      } else if (is_near && !is_within(centres.box(), reached)) {
        reached = grown(centres.box(), most);
        left_.reset();
        fix_within(reached, x);
      } else if (may_leave && corrections < kMaxCorrections && pass >= next_left) {
        reach_of_last(x);
        interval = fix(x) ? kNextLeft : interval + kNextLeft / 2;
        next_left = pass + interval;
      }
    }
    return centres;
  }

  [[nodiscard]] CentreSearch::Box first_box(const std::vector<double>& x) const {
    CentreSearch::Box box{lower_, lower_};
    for (std::size_t i = 0; i < x.size(); ++i) {
      box.upper[i] += std::max(guess_[i], 2 * (x[i] - lower_[i]));
    }
    return box;
  }

  // How large the largest of the prices is, in first guesses.
  [[nodiscard]] double size(const std::vector<double>& x) const {
    double most = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      most = std::max(most, (x[i] - lower_[i]) / guess_[i]);
    }
    return most;
  }

  [[nodiscard]] CentreSearch::Box near_box(const std::vector<double>& x,
                                           const std::vector<double>& most) const {
    const double least = kLeastNear * size(x);
    CentreSearch::Box box{x, x};
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double half = kNear * std::max(x[i] - lower_[i], least * guess_[i]);
      box.lower[i] = std::max(lower_[i], x[i] - half);
      box.upper[i] = std::min(most[i], x[i] + half);
    }
    return box;
  }

  [[nodiscard]] static bool is_within(const CentreSearch::Box& box,
                                      const CentreSearch::Box& other) {
    for (std::size_t i = 0; i < box.lower.size(); ++i) {
      if (box.lower[i] < other.lower[i] || box.upper[i] > other.upper[i]) return false;
    }
    return true;
  }

  // A box that has grown will again.
  [[nodiscard]] CentreSearch::Box grown(CentreSearch::Box box,
                                        const std::vector<double>& most) const {
    for (std::size_t i = 0; i < most.size(); ++i) {
      const double width = box.upper[i] - box.lower[i];
      box.lower[i] = std::max(lower_[i], box.lower[i] - kGrown * width);
      box.upper[i] = std::min(most[i], box.upper[i] + kGrown * width);
    }
    return box;
  }

  // The response of the servers that are not fixed, plus the constant of the fixed ones.
  Response respond_of_swayed(const std::vector<double>& x) {
    last_.push_back(x);
    if (last_.size() > kLastPasses) last_.pop_front();
    if (!left_) {
      const Response response = respond_at(x);
      rounding_ = response.rounding;
      return response;
    }
    variables_.unpack(x, prices_);
    ++iterations_;
    Response response = respond(left_->table, left_->stage, prices_, num_threads_);
    response.value += left_->constant;
    response.rounding = std::max(response.rounding, rounding_);
    return response;
  }

  void fix_within(const CentreSearch::Box& box, const std::vector<double>& x) {
    reach_.resize(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      reach_[i] = std::max(x[i] - box.lower[i], box.upper[i] - x[i]);
    }
    fix(x);
  }
  void reach_of_last(const std::vector<double>& x) {
    reach_.assign(x.size(), 0.0);
    for (const std::vector<double>& y : last_) {
      for (std::size_t i = 0; i < x.size(); ++i) {
        reach_[i] = std::max(reach_[i], kMargin * std::abs(y[i] - x[i]));
      }
    }
  }

  // Fixes servers whose choice holds within reach_ of the prices; false if there are too few.
  bool fix(const std::vector<double>& x) {
    Prices radius{std::vector<double>(prices_.resource.size(), 0.0),
                  std::vector<double>(prices_.skip.size(), 0.0)};
    variables_.unpack(reach_, radius);
    variables_.unpack(x, prices_);
    const Table& table = left_ ? left_->table : table_;
    const Stage& stage = left_ ? left_->stage : stage_;
    std::optional<Unfixed> next = fix_servers(table, stage, prices_, radius, num_threads_);
    if (!next) return false;
    next->constant += left_ ? left_->constant : 0;
    left_ = std::move(next);
    return true;
  }

  // Prices that only servers without alternatives pay cancel out in the bound, so any value is as
  // good. Lower them, because high ones drown the other prices in rounding.
  void lower_idle(std::vector<double>& x) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      while (x[i] - lower_[i] > kIdle * guess_[i]) {
        const double bound = respond_at(x).bound();
        std::vector<double> less = x;
        less[i] = lower_[i] + kIdleStep * (x[i] - lower_[i]);
        if (respond_at(less).bound() < bound - accuracy_.tolerance * std::abs(bound)) break;
        x = std::move(less);
      }
    }
  }

  // Whether some price is near its upper bound.
  [[nodiscard]] bool is_high(const std::vector<double>& x, const std::vector<double>& most) const {
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (is_high(x, most, i)) return true;
    }
    return false;
  }
  [[nodiscard]] bool is_high(const std::vector<double>& x, const std::vector<double>& most,
                             std::size_t i) const {
    return x[i] - lower_[i] > 0.5 * (most[i] - lower_[i]);
  }

  // The same, and raises that.
  bool raise(const std::vector<double>& x, std::vector<double>& most) const {
    bool any = false;
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (!is_high(x, most, i)) continue;
      most[i] = lower_[i] + kFar * (most[i] - lower_[i]);
      any = true;
    }
    return any;
  }

  const Table& table_;
  const Stage& stage_;
  const Variables variables_;
  const Accuracy accuracy_;
  int num_threads_;
  std::int64_t& iterations_;
  bool is_bounded_ = false;  // may break off where prices get high
  bool is_broken_off_ = false;
  Prices prices_;
  std::vector<double> lower_, guess_;
  std::optional<Unfixed> left_;           // of the search under way
  std::vector<double> reach_;             // how far prices may still go where it leaves out
  std::deque<std::vector<double>> last_;  // points of its last passes
  double rounding_ = 0;                   // of its last pass over everybody
  double most_of_plans_;
};

}  // namespace

Prices maximise_dual(const Table& table, const Stage& stage, const Prices& start,
                     const Accuracy& accuracy, int num_threads, std::int64_t& iterations) {
  return DualSearch(table, stage, accuracy, num_threads, iterations).run(start);
}

std::optional<Prices> bounded_prices(const Table& table, const Stage& stage, const Prices& start,
                                     const Accuracy& accuracy, int num_threads,
                                     std::int64_t& iterations) {
  return DualSearch(table, stage, accuracy, num_threads, iterations).run_once(start);
}

}  // namespace tonnage::price
