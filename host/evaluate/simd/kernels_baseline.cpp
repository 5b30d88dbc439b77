// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Compiles all SIMD kernels for the baseline of the target; no compiler flags are added.
#define TONNAGE_ISA baseline
#define TONNAGE_REGISTER_BYTES 16
#define TONNAGE_PACK_REGISTERS 4
#include "host/evaluate/simd/sizing_kernel.inl"
#include "host/evaluate/simd/sweep_kernel.inl"
#include "host/evaluate/simd/table_kernel.inl"
