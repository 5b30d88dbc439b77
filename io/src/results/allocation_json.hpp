// Writes allocations, which stand in spec files and in solutions alike.
#pragma once

#include <functional>
#include <string_view>

#include "io/src/json/json_writer.hpp"
#include "tonnage/core/spec.hpp"

namespace tonnage {

// The published fields of an allocation into the object that is open, its parts where it has some;
// `more` may add to a part of that index.
void write_allocation_fields(JsonWriter& json, const AllocationSpec& spec,
                             const std::function<void(std::size_t part)>& more = {});

// They alone as an object on one line, under `key`.
void write_allocation(JsonWriter& json, std::string_view key, const AllocationSpec& spec);

}  // namespace tonnage
