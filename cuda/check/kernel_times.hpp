// Times of single kernels on one device, each after its answers have been compared with the CPU's.
#pragma once

#include <cstdint>

#include "device.hpp"
#include "report.hpp"

namespace tonnage::check {

// The sweep kernel alone: many copies of one line, every batch size against 1 .. `replicas`.
void time_sweep(cuda::Device& device, std::int64_t ceiling, std::int64_t max_queue,
                std::int64_t replicas, std::int64_t lines, Report& report);

// The table's kernels alone: the same lines and candidates, every column kept on the device.
void time_table(cuda::Device& device, std::int64_t ceiling, std::int64_t max_queue,
                std::int64_t replicas, std::int64_t lines, Report& report);

}  // namespace tonnage::check
