// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Makes several plans in parallel. Owns: their number at a time, and what each has of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "host/base/parallel.hpp"
#include "host/select/price/plans/grouped_search.hpp"
#include "host/select/price/plans/plan_maker.hpp"

namespace tonnage::price {

// Exact searches have one thread each. So many plans are made at a time whatever the number of
// threads, so that it does not change what is found.
inline constexpr std::int64_t kSideBySide = 2;

// make(maker, searches, i) for i from `first` to `last`: plans of `table`, in that order. The
// makers and the searches are each plan's own; what they take is taken from `searches` and added to
// `iterations` in the end.
template <class Make>
[[nodiscard]] std::vector<Assignment> make_side_by_side(const Table& table, std::int64_t first,
                                                        std::int64_t last, int num_threads,
                                                        GroupedSearches& searches,
                                                        std::int64_t& iterations,
                                                        const Make& make) {
  struct Task {
    GroupedSearches searches;
    std::int64_t iterations = 0;
    std::optional<Assignment> plan;
  };
  const std::int64_t count = last - first;
  std::vector<Task> tasks(static_cast<std::size_t>(count), Task{searches, 0, {}});
  const int own_threads =
      std::max(1, team_size(num_threads) / static_cast<int>(std::max<std::int64_t>(1, count)));
  parallel_chunks(count, 1, num_threads, [&](std::int64_t i, std::int64_t /*end*/) {
    Task& task = tasks[static_cast<std::size_t>(i)];
    PlanMaker maker(table, own_threads, task.iterations);
    task.plan = make(maker, task.searches, first + i);
  });
  std::vector<Assignment> plans;
  const std::int64_t before = searches.left();
  for (Task& task : tasks) {
    searches.spend(before - task.searches.left());
    iterations += task.iterations;
    plans.push_back(std::move(*task.plan));
  }
  return plans;
}

// The same for plans made without searches: make(maker, i).
template <class Make>
[[nodiscard]] std::vector<Assignment> make_side_by_side(const Table& table, std::int64_t first,
                                                        std::int64_t last, int num_threads,
                                                        std::int64_t& iterations,
                                                        const Make& make) {
  GroupedSearches none(0, 0, 1);
  return make_side_by_side(table, first, last, num_threads, none, iterations,
                           [&](PlanMaker& maker, GroupedSearches& /*searches*/, std::int64_t i) {
                             return make(maker, i);
                           });
}

}  // namespace tonnage::price
