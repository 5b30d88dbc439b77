// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The callback by which long-running work reports progress.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace tonnage {

// Called now and then with the units done and in total of a phase. Calls never overlap.
using ProgressCallback =
    std::function<void(std::string_view phase, std::int64_t done, std::int64_t total)>;

}  // namespace tonnage
