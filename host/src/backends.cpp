// The registry of backends, and the choice of one by name.
#include "tonnage/host/backends.hpp"

#include <fmt/format.h>

#include <atomic>

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
    if (try_preferred([&](const auto&) { result = preferred_->search(problem, options); })) {
      return result;
    }
    return other_->search(problem, options);
  }

  // What the consumer has taken it does not get again: the other goes on from there.
  void table(const Problem& problem, std::span<const GridLine> grid, const GridOptions& options,
             const GridConsumer& consumer) const override {
    std::vector<std::int64_t> rows(grid.size(), 0);
    const bool done = try_preferred([&](const auto& watch) {
      preferred_->table(problem, grid, options, [&](const GridBlock& block) {
        watch([&] { consumer(block); });
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
    const bool done = try_preferred([&](const auto& watch) {
      preferred_->points(problem, grid, options, wanted,
                         [&](std::int64_t ordinal, std::span<const ParetoPoint> points) {
                           watch([&] { consumer(ordinal, points); });
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
  // Whether the preferred backend has done it, now or ever again. first(watch) asks it, calling
  // what is not its own by watch(call): a failure there is nobody's to make up for.
  template <class First>
  [[nodiscard]] bool try_preferred(const First& first) const {
    if (failed_) return false;
    std::atomic<bool> consumer_failed{false};
    const auto watch = [&](const auto& call) {
      try {
        call();
      } catch (...) {
        consumer_failed = true;
        throw;
      }
    };
    try {
      first(watch);
      return true;
    } catch (const Error& error) {
      if (consumer_failed || error.code() != ErrorCode::kUnavailable) throw;
      failed_ = true;
      return false;
    }
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
