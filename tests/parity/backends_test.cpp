// The registry with the CUDA backend in it: never an unknown name, never used silently, never a
// silent replacement.
#include "tonnage/host/backends.hpp"

#include <gtest/gtest.h>

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
  Failing(int good, ErrorCode code) : good_(good), code_(code) {}
  [[nodiscard]] std::string_view name() const override { return "failing"; }
  [[nodiscard]] Availability availability() const override { return {true, "until it fails"}; }
  [[nodiscard]] SearchResult search(const Problem&, const SearchOptions&) const override {
    if (good_-- > 0) return {.lines = std::vector<LineOutcome>(7), .candidates_swept = 1};
    throw Error(code_, "lost");
  }

 private:
  mutable int good_;
  ErrorCode code_;
};

TEST(FallingBack, TheOtherTakesOverForGood) {
  const auto both = make_falling_back(std::make_unique<Failing>(1, ErrorCode::kUnavailable),
                                      select_backend("cpu"));
  EXPECT_EQ(both->name(), "failing");
  EXPECT_EQ(both->search({}, {}).candidates_swept, 1);
  EXPECT_EQ(both->search({}, {}).candidates_swept, 0);
  EXPECT_EQ(both->name(), "cpu");
  EXPECT_TRUE(both->search({}, {}).lines.empty());
}

TEST(FallingBack, OtherErrorsArePassedOn) {
  const auto both = make_falling_back(std::make_unique<Failing>(0, ErrorCode::kInvalidInput),
                                      select_backend("cpu"));
  EXPECT_THROW((void)both->search({}, {}), Error);
  EXPECT_EQ(both->name(), "failing");
}

}  // namespace
}  // namespace tonnage
