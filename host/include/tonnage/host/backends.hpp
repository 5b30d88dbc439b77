// The backends this library was built with. Owns: the registry and the choice of one by name.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/host/line_sizing.hpp"

namespace tonnage {

// The CPU evaluator: SIMD packs, threads over lines. Throws Error (kUnavailable) when the
// instruction set is not usable.
[[nodiscard]] std::unique_ptr<Evaluator> make_cpu_evaluator(InstructionSet isa);

// Searches with `preferred`, and from its first failure on with `other`; name() and availability()
// are those of the one at work. A failure is any exception but an Error of another kind than
// kUnavailable and what a callback of the caller throws: these are passed on.
[[nodiscard]] std::unique_ptr<Evaluator> make_falling_back(std::unique_ptr<Evaluator> preferred,
                                                           std::unique_ptr<Evaluator> other);

// Every backend, the preferred one first; not all may be usable here.
[[nodiscard]] std::vector<std::unique_ptr<Evaluator>> backends();

// Fewer lines are left to the CPU: it is done before a GPU has started. An estimate, not measured.
inline constexpr std::int64_t kFewestGpuLines = 50'000;

// The backend of that name. "auto" is the CPU, or for at least kFewestGpuLines `lines` a usable
// GPU, with the CPU taking over if it fails. Throws Error: kInvalidInput for an unknown name,
// kUnavailable for one that is not usable (a named one never falls back).
[[nodiscard]] std::unique_ptr<Evaluator> select_backend(std::string_view name,
                                                        std::int64_t lines = 0);

}  // namespace tonnage
