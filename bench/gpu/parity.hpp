// GPU and CPU compared on random fleets, bit for bit, one kind of work after the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/src/device_evaluator.hpp"

namespace tonnage::check {

struct ParityOptions {
  std::uint64_t seed = 1;
  bool small = false;   // one fleet of few servers: minutes under compute-sanitizer
  std::string only;     // a kind; empty: all
  double seconds = 24;  // of each kind: no fleet is begun later
};

// "max", "search", "grid", "table", "percentiles", "points".
[[nodiscard]] std::vector<std::string> parity_kinds();

// Compares every kind asked for, going on after a failure, and prints the verdict of each:
// "parity KIND: ok" or "parity KIND: FAILED: reason". Each fleet is evaluated in chunks as they
// are, in chunks so small that it takes many, and on every device opened twice. Answers whether all
// was well.
[[nodiscard]] bool run_parity(const cuda::OpenDevices& open, const ParityOptions& options);

}  // namespace tonnage::check
