// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The ordering of lines on a CUDA stream.
#include <thrust/execution_policy.h>
#include <thrust/system_error.h>

#include "cuda/src/base/launch.hpp"
#include "cuda/src/search/order_lines.hpp"

namespace tonnage::cuda {
namespace {

// Thrust allocates memory at every step. Nothing is freed, because a later step of the stream may
// reuse memory of an earlier one only after the arena is reset.
struct ArenaAllocator {
  using value_type = char;
  Arena* arena;
  char* allocate(std::ptrdiff_t bytes) {
    return static_cast<char*>(arena->take(static_cast<std::size_t>(bytes)));
  }
  void deallocate(char*, std::size_t) noexcept {}
};

}  // namespace

void launch_order(const ChunkRows& rows, const LineOrder& to, std::int64_t count, Arena& arena,
                  cudaStream_t stream) {
  arena.reset();
  ArenaAllocator allocator{&arena};
  try {
    order_lines(thrust::cuda::par_nosync(allocator).on(stream), rows, to, count);
  } catch (const thrust::system_error& error) {
    throw Error(ErrorCode::kUnavailable, std::string("ordering lines: ") + error.what());
  }
}

}  // namespace tonnage::cuda
