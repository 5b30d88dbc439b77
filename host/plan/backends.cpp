// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The registry of backends, and the choice of one by name.
#include "tonnage/host/backends.hpp"

#include <fmt/format.h>

#include <atomic>

#include "tonnage/core/callbacks.hpp"
#include "tonnage/core/error.hpp"
#include "tonnage/cuda/evaluator.hpp"

namespace tonnage {
namespace {

class FallingBack : public Evaluator {
 public:
  FallingBack(std::unique_ptr<Evaluator> preferred, std::unique_ptr<Evaluator> other)
      : preferred_(std::move(preferred)), other_(std::move(other)) {}

  [[nodiscard]] std::string_view name() const override { return at_work().name(); }
  [[nodiscard]] Availability availability() const override { return at_work().availability(); }

  [[nodiscard]] SearchResult search(const Problem& problem,
                                    const SearchOptions& options) const override {
    SearchResult result;
    SearchOptions watched = options;
    const bool done = try_preferred([&](CallbackErrors& callbacks) {
      watched.progress = callbacks.watched(options.progress);
      result = preferred_->search(problem, watched);
    });
    return done ? result : other_->search(problem, options);
  }

  // The consumer does not receive a block twice: the other backend continues after the last one.
  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    std::vector<std::int64_t> rows(grid.size(), 0);
    GridOptions watched = options;
    const bool done = try_preferred([&](CallbackErrors& callbacks) {
      watched.progress = callbacks.watched(options.progress);
      preferred_->table(problem, grid, watched, [&](const GridBlock& block) {
        callbacks.watch([&] { consumer(block); });
        rows[block.ordinal] += block.num_batches;
      });
    });
    if (done) return;
    std::vector<RestOfLine> rest;
    for (std::int64_t k = 0; k < std::ssize(grid); ++k) {
      if (rows[k] < grid[k].num_batches) rest.push_back({k, rows[k]});
    }
    fill_rest(*other_, problem, grid, rest, options, consumer);
  }
  void points(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
              const PointOptions& wanted, const PointConsumer& consumer) const override {
    std::vector<char> taken(grid.size(), 0);
    GridOptions watched = options;
    const bool done = try_preferred([&](CallbackErrors& callbacks) {
      watched.progress = callbacks.watched(options.progress);
      preferred_->points(problem, grid, watched, wanted,
                         [&](std::int64_t ordinal, std::span<const ParetoPoint> points) {
                           callbacks.watch([&] { consumer(ordinal, points); });
                           taken[ordinal] = 1;
                         });
    });
    if (done) return;
    std::vector<std::int64_t> rest;
    for (std::int64_t k = 0; k < std::ssize(grid); ++k) {
      if (taken[k] == 0) rest.push_back(k);
    }
    find_points(*other_, problem, grid, rest, options, wanted, consumer);
  }

 private:
  // Whether the preferred backend did the work; once it has failed, never again. first(callbacks)
  // runs it. Its own failures (device, memory, threads) hand over to the other backend. Exceptions
  // of callbacks and Errors about the request are passed on.
  template <class First>
  [[nodiscard]] bool try_preferred(const First& first) const {
    if (failed_) return false;
    CallbackErrors callbacks;
    try {
      first(callbacks);
      return true;
    } catch (const Error& error) {
      callbacks.rethrow();
      if (error.code() != ErrorCode::kUnavailable) throw;
    } catch (...) {
      callbacks.rethrow();
    }
    failed_ = true;
    return false;
  }

  [[nodiscard]] const Evaluator& at_work() const { return failed_ ? *other_ : *preferred_; }

  std::unique_ptr<Evaluator> preferred_, other_;
  mutable std::atomic<bool> failed_{false};
};

std::unique_ptr<Evaluator> best_cpu_evaluator() {
  return make_cpu_evaluator(best_instruction_set());
}

}  // namespace

std::unique_ptr<Evaluator> make_falling_back(std::unique_ptr<Evaluator> preferred,
                                             std::unique_ptr<Evaluator> other) {
  return std::make_unique<FallingBack>(std::move(preferred), std::move(other));
}

std::vector<std::unique_ptr<Evaluator>> backends() {
  std::vector<std::unique_ptr<Evaluator>> all;
  all.push_back(make_cuda_evaluator(best_cpu_evaluator()));
  all.push_back(best_cpu_evaluator());
  return all;
}

std::unique_ptr<Evaluator> select_backend(std::string_view name, std::int64_t lines) {
  if (name == "auto") {
    std::unique_ptr<Evaluator> cpu = best_cpu_evaluator();
    if (lines < kFewestGpuLines) return cpu;
    std::unique_ptr<Evaluator> cuda = make_cuda_evaluator(best_cpu_evaluator());
    if (!cuda->availability().usable) return cpu;
    return make_falling_back(std::move(cuda), std::move(cpu));
  }
  std::string known = "auto";
  for (std::unique_ptr<Evaluator>& backend : backends()) {
    if (name == backend->name()) {
      const Availability availability = backend->availability();
      if (availability.usable) return std::move(backend);
      throw Error(ErrorCode::kUnavailable,
                  fmt::format("backend \"{}\" is not usable: {}", name, availability.reason));
    }
    known += fmt::format(", {}", backend->name());
  }
  throw Error(ErrorCode::kInvalidInput,
              fmt::format("backend \"{}\" is unknown, expected one of {}", name, known));
}

}  // namespace tonnage
