// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The backends this library was built with. Owns: their registry, and the choice of one by name.
//
// Example:
//   for (const auto& backend : tonnage::backends()) {
//     const tonnage::Availability available = backend->availability();
//     std::printf("%s: %s\n", std::string(backend->name()).c_str(), available.reason.c_str());
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/host/line_sizing.hpp"

namespace tonnage {

// The CPU evaluator: SIMD packs within a thread, threads over lines. Throws Error (kUnavailable) if
// the instruction set is not usable.
[[nodiscard]] std::unique_ptr<Evaluator> make_cpu_evaluator(InstructionSet isa);

// Uses `preferred` until its first failure, then `other` for good; name() and availability() are
// those of the backend in use. A failure is any exception except those of callbacks and Errors of
// another kind than kUnavailable, which are passed on.
[[nodiscard]] std::unique_ptr<Evaluator> make_falling_back(std::unique_ptr<Evaluator> preferred,
                                                           std::unique_ptr<Evaluator> other);

// Every backend, the preferred one first; not all may be usable here.
[[nodiscard]] std::vector<std::unique_ptr<Evaluator>> backends();

// Problems with fewer lines go to the CPU, which finishes before a GPU has started. An estimate,
// not measured.
inline constexpr std::int64_t kFewestGpuLines = 50'000;

// The backend of that name. "auto" is the CPU for fewer than kFewestGpuLines lines; for more it is
// a usable GPU, with the CPU taking over if the GPU fails. Throws Error: kInvalidInput for an
// unknown name, kUnavailable for a backend that is not usable here (a named one never falls back).
[[nodiscard]] std::unique_ptr<Evaluator> select_backend(std::string_view name,
                                                        std::int64_t lines = 0);

}  // namespace tonnage
