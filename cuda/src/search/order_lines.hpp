// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The ordering of the lines of a chunk by Thrust, shared by the device and Thrust's host system,
// where it is tested.
#pragma once

#include <thrust/binary_search.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <thrust/scan.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/transform.h>

#include "cuda/src/search/line_order.hpp"

namespace tonnage::cuda {

// Fills `to` for `count` lines. The policy selects the execution space and the memory.
template <class Policy>
void order_lines(const Policy& policy, const ChunkRows& rows, const LineOrder& to,
                 std::int64_t count) {
  const thrust::counting_iterator<std::int32_t> lines(0);
  thrust::transform(policy, lines, lines + count, to.keys, KeyOfLine{rows});
  thrust::sequence(policy, to.order, to.order + count);
  thrust::stable_sort_by_key(policy, to.keys, to.keys + count, to.order);
  const auto first_keys =
      thrust::make_transform_iterator(thrust::counting_iterator<int>(0), FirstKeyOfGroup{});
  thrust::lower_bound(policy, to.keys, to.keys + count, first_keys, first_keys + kLineGroups + 1,
                      to.begin);
  const auto entries = thrust::make_transform_iterator(to.keys, EntriesOfKey{});
  thrust::exclusive_scan(policy, entries, entries + count, to.first_entry, std::int64_t{0});
}

}  // namespace tonnage::cuda
