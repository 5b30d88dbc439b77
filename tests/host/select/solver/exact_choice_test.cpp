// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The exact selection against every combination of small random models, its limits, its silence.
#include "host/select/solver/choice_model.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <random>

#include "host/select/solver/integer_program.hpp"
#include "support/sampler.hpp"
#include "support/seed.hpp"
#include "tonnage/core/elementary.hpp"
#include "tonnage/core/error.hpp"

namespace tonnage {
namespace {

std::vector<std::int64_t> no_start() { return {}; }

bool holds(const ChoiceModel& m, const std::vector<std::int64_t>& chosen) {
  std::vector<std::int64_t> used(m.capacity.size(), 0), served(m.least_served.size(), 0);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i] < 0) continue;
    if (chosen[i] < m.first[i] || chosen[i] >= m.first[i + 1]) return false;
    if (m.type[chosen[i]] >= 0) used[m.type[chosen[i]]] += m.cards[chosen[i]];
    ++served[m.item_class[i]];
  }
  for (std::size_t t = 0; t < used.size(); ++t) {
    if (used[t] > m.capacity[t]) return false;
  }
  for (std::size_t c = 0; c < served.size(); ++c) {
    if (served[c] < m.least_served[c]) return false;
  }
  return true;
}

double objective(const ChoiceModel& m, const std::vector<std::int64_t>& chosen) {
  double sum = 0;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    sum += chosen[i] < 0 ? m.skip_objective[i] : m.objective[chosen[i]];
  }
  return sum;
}

// The least objective over all combinations, infinite where none holds.
double least_objective(const ChoiceModel& m) {
  std::vector<std::int64_t> chosen(static_cast<std::size_t>(m.num_items()), -1);
  double least = kInfinity;
  while (true) {
    if (holds(m, chosen)) least = std::min(least, objective(m, chosen));
    std::size_t i = 0;
    while (i < chosen.size() &&
           (chosen[i] < 0 ? m.first[i] == m.first[i + 1] : chosen[i] + 1 == m.first[i + 1])) {
      chosen[i++] = -1;
    }
    if (i == chosen.size()) return least;
    chosen[i] = chosen[i] < 0 ? m.first[i] : chosen[i] + 1;
  }
}

class ModelSampler {
 public:
  ModelSampler() : engine_(testing::test_seed()) {}

  std::int64_t whole(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(high - low + 1));
  }
  double real(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }

  // Small whole values make ties common; half of the models have real ones of widely varying size.
  ChoiceModel next(std::int64_t most_items) {
    ChoiceModel m;
    const std::int64_t types = whole(1, 4), classes = whole(1, 3), items = whole(0, most_items);
    const bool wholes = whole(0, 1) == 0;
    const double size = std::pow(10.0, static_cast<double>(whole(-2, 6)));
    const auto value = [&] {
      return wholes ? static_cast<double>(whole(-4, 6)) : size * real(-0.3, 1);
    };
    const std::int64_t unit = whole(0, 3) == 0 ? whole(1, 1000) : 1;
    for (std::int64_t t = 0; t < types; ++t) m.capacity.push_back(unit * whole(0, 8) + whole(0, 1));
    m.first.push_back(0);
    for (std::int64_t i = 0; i < items; ++i) {
      const std::int64_t options = whole(0, 4);
      for (std::int64_t o = 0; o < options; ++o) {
        m.objective.push_back(value());
        m.cards.push_back(unit * whole(0, 5));
        m.type.push_back(static_cast<std::int32_t>(whole(-1, types - 1)));
      }
      m.first.push_back(static_cast<std::int64_t>(m.objective.size()));
      m.skip_objective.push_back(whole(0, 1) == 0 ? 0 : value());
      m.item_class.push_back(static_cast<std::int32_t>(whole(0, classes - 1)));
    }
    for (std::int64_t c = 0; c < classes; ++c) {
      m.least_served.push_back(whole(0, 2) == 0 ? whole(0, 3) : 0);
    }
    return m;
  }

  // About as hard as selections get: prices follow performance, capacity for part of the demand.
  ChoiceModel scarce(std::int64_t items, std::int64_t types) {
    ChoiceModel m;
    std::vector<std::int64_t> demand(static_cast<std::size_t>(types), 0);
    m.first.push_back(0);
    for (std::int64_t i = 0; i < items; ++i) {
      const double load = real(1, 30);
      for (std::int64_t t = 0; t < types; ++t) {
        const auto cards = static_cast<std::int64_t>(std::ceil(load / real(0.5, 2)));
        demand[t] += cards;
        m.objective.push_back(static_cast<double>(cards) * real(40, 60));
        m.cards.push_back(cards);
        m.type.push_back(static_cast<std::int32_t>(t));
      }
      m.first.push_back(static_cast<std::int64_t>(m.objective.size()));
      m.skip_objective.push_back(load * 500);
      m.item_class.push_back(0);
    }
    for (const std::int64_t d : demand) m.capacity.push_back(d * 3 / (4 * types));
    m.least_served = {0};
    return m;
  }

 private:
  std::mt19937_64 engine_;
};

// Everything the contract says of an answer but that it is the best one.
void check_claims(const ChoiceModel& m, const ChoiceAnswer& answer) {
  if (!answer.feasible) return;
  ASSERT_TRUE(holds(m, answer.chosen));
  EXPECT_EQ(answer.objective, objective(m, answer.chosen));
  EXPECT_LE(answer.bound, answer.objective);
}

// Collects what the process writes to a descriptor.
class Captured {
 public:
  explicit Captured(int descriptor) : descriptor_(descriptor), file_(std::tmpfile()) {
    std::fflush(nullptr);
    saved_ = dup(descriptor);
    dup2(fileno(file_), descriptor);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  // Restores the descriptor; the number of bytes written meanwhile.
  std::int64_t finish() {
    std::fflush(nullptr);
    dup2(saved_, descriptor_);
    close(saved_);
    const std::int64_t size = lseek(fileno(file_), 0, SEEK_END);
    std::fclose(file_);
    return size;
  }

 private:
  int descriptor_, saved_;
  std::FILE* file_;
};

class ExactChoice : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_exact_solver()) GTEST_SKIP() << "this build has no exact solver";
  }
};

TEST(ExactChoiceAbsent, SaysSo) {
  if (has_exact_solver()) GTEST_SKIP() << "this build has the exact solver";
  try {
    (void)solve_exactly({}, {}, {});
    FAIL() << "an answer without a solver";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
  }
}

TEST_F(ExactChoice, IsTheBestOfAllCombinations) {
  ModelSampler sampler;
  int solved = 0, infeasible = 0, searched = 0;
  for (int round = 0; round < 4000; ++round) {
    SCOPED_TRACE(round);
    const ChoiceModel m = sampler.next(6);
    const double least = least_objective(m);
    const ChoiceAnswer answer = solve_exactly(m, {}, no_start());
    ASSERT_EQ(answer.feasible, least < kInfinity);
    ASSERT_TRUE(answer.proven);
    check_claims(m, answer);
    if (!answer.feasible) {
      ++infeasible;
      continue;
    }
    double size = 1e-3;
    for (const double o : m.objective) size = std::max(size, std::abs(o));
    ASSERT_NEAR(answer.objective, least, 1e-9 * size);
    ASSERT_LE(answer.bound, least + 1e-9 * size);
    ++solved;
    searched += answer.bound < answer.objective;
  }
  EXPECT_GT(solved, 1000);
  EXPECT_GT(infeasible, 100);
  EXPECT_GT(searched, 50);
}

TEST_F(ExactChoice, IsNeverWorseThanTheStart) {
  ModelSampler sampler;
  int with_start = 0;
  for (int round = 0; round < 2000; ++round) {
    SCOPED_TRACE(round);
    const ChoiceModel m = sampler.next(8);
    std::vector<std::int64_t> start;
    for (std::int64_t i = 0; i < m.num_items(); ++i) {
      start.push_back(sampler.whole(m.first[i] - 1, m.first[i + 1] - 1));
      if (start.back() < m.first[i]) start.back() = -1;
    }
    ExactLimits limits;
    limits.max_work = sampler.whole(0, 2);
    limits.bound_first = sampler.whole(0, 1) == 1;
    const ChoiceAnswer answer = solve_exactly(m, limits, start);
    check_claims(m, answer);
    if (!holds(m, start)) continue;
    ++with_start;
    ASSERT_TRUE(answer.feasible);
    ASSERT_LE(answer.objective, objective(m, start));
  }
  EXPECT_GT(with_start, 300);
}

TEST_F(ExactChoice, StopsOnItsLimitsWithAValidBound) {
  ModelSampler sampler;
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    const ChoiceModel m = sampler.scarce(40, 4);
    const std::vector<std::int64_t> nothing(40, -1);
    const ChoiceAnswer best = solve_exactly(m, {.max_work = 1300000000}, nothing);
    for (const ExactLimits& limits :
         {ExactLimits{.max_work = 1}, ExactLimits{.max_work = 6000000},
          ExactLimits{.max_work = 6000000, .bound_first = true}, ExactLimits{.max_seconds = 0.01},
          ExactLimits{.absolute_gap = 300}}) {
      const ChoiceAnswer answer = solve_exactly(m, limits, nothing);
      ASSERT_TRUE(answer.feasible);
      check_claims(m, answer);
      EXPECT_LE(answer.bound, best.objective);
      EXPECT_GE(answer.objective, best.bound);
      if (limits.absolute_gap > 0) {
        EXPECT_TRUE(answer.proven);
        EXPECT_LE(answer.objective, best.objective + limits.absolute_gap);
      }
    }
  }
}

TEST_F(ExactChoice, ReportsProgressWhileItSearches) {
  ModelSampler sampler;
  int reports = 0;
  ExactLimits limits;
  limits.max_seconds = 0.5;
  limits.on_progress = [&] { ++reports; };
  (void)solve_exactly(sampler.scarce(60, 6), limits, no_start());
  EXPECT_GT(reports, 5);
}

TEST_F(ExactChoice, SameInputSameAnswer) {
  ModelSampler sampler;
  for (int round = 0; round < 5; ++round) {
    const ChoiceModel m = sampler.scarce(60, 4);
    const ExactLimits limits{.max_work = 20000000};
    const ChoiceAnswer a = solve_exactly(m, limits, no_start());
    const ChoiceAnswer b = solve_exactly(m, limits, no_start());
    EXPECT_EQ(a.chosen, b.chosen);
    EXPECT_EQ(a.bound, b.bound);
    EXPECT_EQ(a.proven, b.proven);
  }
}

TEST_F(ExactChoice, CountsCardsBeyondThePrecisionOfDoubles) {
  ChoiceModel m;
  const std::int64_t huge = (std::int64_t{1} << 60) + 1;
  m.first = {0, 1, 2};
  m.objective = {-1, -1};
  m.cards = {huge, huge + 2};
  m.type = {0, 0};
  m.skip_objective = {0, 0};
  m.item_class = {0, 0};
  m.capacity = {2 * huge + 1};  // one card short of both
  m.least_served = {0};
  const ChoiceAnswer answer = solve_exactly(m, {}, no_start());
  ASSERT_TRUE(answer.feasible);
  EXPECT_TRUE(holds(m, answer.chosen));
  EXPECT_LE(answer.bound, -1);
}

TEST_F(ExactChoice, PrintsNothing) {
  ModelSampler sampler;
  Captured out(STDOUT_FILENO), err(STDERR_FILENO);
  for (int round = 0; round < 200; ++round) (void)solve_exactly(sampler.next(8), {}, no_start());
  const ChoiceModel m = sampler.scarce(60, 4);
  for (const ExactLimits& limits :
       {ExactLimits{.max_work = 8000000}, ExactLimits{.max_seconds = 0.2},
        ExactLimits{.max_work = 8000000, .absolute_gap = 100}}) {
    (void)solve_exactly(m, limits, no_start());
    (void)solve_exactly(m, limits, std::vector<std::int64_t>(60, -1));
  }
  const std::int64_t err_bytes = err.finish(), out_bytes = out.finish();
  EXPECT_EQ(out_bytes, 0);
  EXPECT_EQ(err_bytes, 0);
}

// Small searches within a search have limits of their own and do not end it.
TEST_F(ExactChoice, SearchesEndByThemselvesOrOnTheirWork) {
  testing::Sampler random;
  int cut_short = 0;
  for (int i = 0; i < 100 && cut_short < 10; ++i) {
    IntegerProgram program;
    for (int row = 0; row < 12; ++row) {
      program.rows.emplace_back();
      program.rows.back().upper = static_cast<double>(random.whole(-40, 40));
      program.rows.back().entries.emplace_back(row, -1.0);
      program.objective.push_back(static_cast<double>(random.whole(20000, 400000)));
      program.most.push_back(60);
    }
    for (std::int32_t column = 12; column < 200; ++column) {
      program.objective.push_back(random.real(0, 300));
      program.most.push_back(static_cast<double>(random.whole(1, 3)));
      const std::int64_t from = random.whole(0, 11), to = random.whole(0, 11);
      program.rows[from].entries.emplace_back(column, static_cast<double>(-random.whole(1, 9)));
      if (to == from) continue;
      program.rows[to].entries.emplace_back(column, static_cast<double>(random.whole(1, 9)));
    }
    ExactLimits limits;
    limits.max_work = 4'000'000;
    const IntegerAnswer answer = solve_integer_program(program, limits, {});
    if (answer.finished) continue;
    ++cut_short;
    EXPECT_GE(answer.work, limits.max_work) << "program " << i;
  }
  EXPECT_GT(cut_short, 0);
}

}  // namespace
}  // namespace tonnage
