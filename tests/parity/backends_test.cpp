// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The registry with the CUDA backend in it: never an unknown name, never used silently, never a
// silent replacement.
#include "tonnage/host/backends.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tonnage/core/error.hpp"
#include "tonnage/cuda/evaluator.hpp"
#include "tonnage/cuda/probe.hpp"

namespace tonnage {
namespace {

TEST(CudaBackend, IsRegisteredFirstAndAgreesWithTheProbe) {
  const auto all = backends();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]->name(), "cuda");
  EXPECT_EQ(all[1]->name(), "cpu");
  const CudaProbe probe = probe_cuda();
  const Availability availability = all[0]->availability();
  EXPECT_EQ(availability.usable, probe.usable);
  EXPECT_FALSE(availability.reason.empty());
  if (!probe.usable) {
    EXPECT_EQ(availability.reason, probe.reason);
  }
}

TEST(CudaBackend, UnusableItSaysWhyWhenForced) {
  const CudaProbe probe = probe_cuda();
  if (probe.usable) GTEST_SKIP() << "this machine has a usable GPU";
  try {
    (void)select_backend("cuda");
    FAIL() << "a backend that is not usable was given";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_NE(std::string(error.what()).find(probe.reason), std::string::npos) << error.what();
  }
  const auto cuda = make_cuda_evaluator(select_backend("cpu"));
  try {
    (void)cuda->search({}, {});
    FAIL() << "a search without a device succeeded";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(error.what(), probe.reason);
  }
}

TEST(CudaBackend, AutoTakesTheCpuForSmallFleetsAndWithoutAGpu) {
  EXPECT_EQ(select_backend("auto")->name(), "cpu");
  EXPECT_EQ(select_backend("auto", kFewestGpuLines - 1)->name(), "cpu");
  EXPECT_EQ(select_backend("auto", kFewestGpuLines)->name(), probe_cuda().usable ? "cuda" : "cpu");
}

// An evaluator that fails after some searches.
class Failing : public Evaluator {
 public:
  Failing(int good, std::function<void()> fail) : good_(good), fail_(std::move(fail)) {}
  [[nodiscard]] std::string_view name() const override { return "failing"; }
  [[nodiscard]] Availability availability() const override { return {true, "until it fails"}; }
  [[nodiscard]] SearchResult search(const Problem&, const SearchOptions& options) const override {
    if (options.progress) options.progress("searching", 0, 1);
    if (good_-- <= 0) fail_();
    return {.lines = std::vector<LineOutcome>(7), .candidates_swept = 1};
  }
  void table(const Problem&, std::span<const GridLine>, const GridOptions& options,
             const GridConsumer&) const override {
    if (options.progress) options.progress("candidates", 0, 1);
    fail_();
  }
  void points(const Problem&, std::span<const GridLine>, const GridOptions& options,
              const PointOptions&, const PointConsumer&) const override {
    if (options.progress) options.progress("candidates", 0, 1);
    fail_();
  }

 private:
  mutable int good_;
  std::function<void()> fail_;
};

std::unique_ptr<Evaluator> falling_back(int good, std::function<void()> fail) {
  return make_falling_back(std::make_unique<Failing>(good, std::move(fail)), select_backend("cpu"));
}
void fail_as(ErrorCode code) { throw Error(code, "lost"); }

TEST(FallingBack, TheOtherTakesOverForGood) {
  const auto both = falling_back(1, [] { fail_as(ErrorCode::kUnavailable); });
  EXPECT_EQ(both->name(), "failing");
  EXPECT_EQ(both->search({}, {}).candidates_swept, 1);
  EXPECT_EQ(both->search({}, {}).candidates_swept, 0);
  EXPECT_EQ(both->name(), "cpu");
  EXPECT_TRUE(both->search({}, {}).lines.empty());
}

TEST(FallingBack, TheOtherTakesOverWhateverFails) {
  const std::function<void()> failures[] = {
      [] { throw std::bad_alloc(); },
      [] {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      },
      [] { throw std::logic_error("a fault of the backend"); },
      [] { throw 7; },
  };
  for (const auto& fail : failures) {
    const auto searching = falling_back(0, fail);
    EXPECT_TRUE(searching->search({}, {}).lines.empty());
    EXPECT_EQ(searching->name(), "cpu");
    const auto tabling = falling_back(0, fail);
    tabling->table({}, {}, {}, [](const GridBlock&) {});
    EXPECT_EQ(tabling->name(), "cpu");
    const auto pointing = falling_back(0, fail);
    pointing->points({}, {}, {}, {}, [](std::int64_t, std::span<const ParetoPoint>) {});
    EXPECT_EQ(pointing->name(), "cpu");
  }
}

TEST(FallingBack, ErrorsOfTheRequestArePassedOn) {
  const auto both = falling_back(0, [] { fail_as(ErrorCode::kInvalidInput); });
  EXPECT_THROW((void)both->search({}, {}), Error);
  EXPECT_EQ(both->name(), "failing");
}

TEST(FallingBack, ProgressExceptionsArePassedOn) {
  const auto both = falling_back(9, [] {});
  int calls = 0;
  const ProgressCallback progress = [&](std::string_view, std::int64_t, std::int64_t) {
    ++calls;
    fail_as(ErrorCode::kUnavailable);
  };
  SearchOptions search;
  search.progress = progress;
  GridOptions grid;
  grid.progress = progress;
  EXPECT_THROW((void)both->search({}, search), Error);
  EXPECT_THROW(both->table({}, {}, grid, [](const GridBlock&) {}), Error);
  EXPECT_THROW(both->points({}, {}, grid, {}, [](std::int64_t, std::span<const ParetoPoint>) {}),
               Error);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(both->name(), "failing");
}

}  // namespace
}  // namespace tonnage
