// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Writes allocations for spec files, solutions and plans. Owns: their field names and order.
#pragma once

#include <functional>
#include <string_view>

#include "io/src/json/json_writer.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// Writes the published fields of an allocation, and its parts if it has any, into the open object.
// more(index) may add fields to a part.
void write_allocation_fields(JsonWriter& json, const AllocationSpec& spec,
                             const std::function<void(std::size_t part)>& more = {});

// Writes only these fields, as an object on one line under `key`.
void write_allocation(JsonWriter& json, std::string_view key, const AllocationSpec& spec);

}  // namespace tonnage
