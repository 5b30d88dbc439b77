// The backends this library was built with. Owns: the registry and the choice of one by name.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tonnage/core/evaluator.hpp"
#include "tonnage/host/line_sizing.hpp"

namespace tonnage {

// The CPU evaluator: SIMD packs, threads over lines. Throws Error (kUnavailable) when the
// instruction set is not usable.
[[nodiscard]] std::unique_ptr<Evaluator> make_cpu_evaluator(InstructionSet isa);

// Every backend compiled in, the preferred one first; not all may be usable here.
[[nodiscard]] std::vector<std::unique_ptr<Evaluator>> backends();

// The backend of that name, or the first usable one for "auto". Throws Error: kInvalidInput for an
// unknown name, kUnavailable for one that is not usable (never falls back silently).
[[nodiscard]] std::unique_ptr<Evaluator> select_backend(std::string_view name);

}  // namespace tonnage
