// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The CUDA evaluator: sizes, searches and tabulates the lines of a problem and finds points of
// frontiers on the GPUs of this machine, with the answers of the CPU bit for bit. It exists in
// every build; availability() says why it cannot be used.
//
// Example:
//   #include "tonnage/host/backends.hpp"
//   auto cpu = tonnage::make_cpu_evaluator(tonnage::best_instruction_set());
//   const auto gpu = tonnage::make_cuda_evaluator(std::move(cpu));
//   std::puts(gpu->availability().reason.c_str());
#pragma once

#include <memory>

#include "tonnage/core/evaluator.hpp"

namespace tonnage {

// Makes the evaluator; opens no device before the first piece of work. `host` answers at the same
// time what devices cannot: lines with nothing to search, and rows out of the range of the
// recursion. search(), table() and points() throw Error (kUnavailable) without a usable device.
[[nodiscard]] std::unique_ptr<Evaluator> make_cuda_evaluator(std::unique_ptr<Evaluator> host);

}  // namespace tonnage
