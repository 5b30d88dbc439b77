// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Uses the domain alone.
#include "tonnage/core/system.hpp"

int main() {
  const tonnage::System system;
  return system.servers().empty() ? 0 : 1;
}
