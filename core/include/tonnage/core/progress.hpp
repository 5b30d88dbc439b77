// How long-running work tells how far it is.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace tonnage {

// Called now and then, never concurrently, with the work done of a phase.
using ProgressCallback =
    std::function<void(std::string_view phase, std::int64_t done, std::int64_t total)>;

}  // namespace tonnage
