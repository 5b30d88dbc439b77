// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Parity of GPU and CPU on random fleets, bit for bit, one kind of work after the other. Owns: the
// list of kinds.
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

// Compares every requested kind, continuing after failures, and prints a verdict for each: "parity
// KIND: ok" or "parity KIND: FAILED: reason". Each fleet is evaluated with the default chunks, with
// very small chunks, and with every device opened twice. Returns whether all agreed.
[[nodiscard]] bool run_parity(const cuda::OpenDevices& open, const ParityOptions& options);

}  // namespace tonnage::check
