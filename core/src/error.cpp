// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The constructor of Error, which makes its message printable.
#include "tonnage/core/error.hpp"

#include "tonnage/core/printable.hpp"

namespace tonnage {

Error::Error(ErrorCode code, std::string_view message)
    : std::runtime_error(printable(message)), code_(code) {}

}  // namespace tonnage
