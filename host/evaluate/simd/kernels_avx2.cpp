// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Compiles all SIMD kernels for AVX2; the build passes the compiler flags.
#define TONNAGE_ISA avx2
#define TONNAGE_REGISTER_BYTES 32
#define TONNAGE_PACK_REGISTERS 2
#include "host/evaluate/simd/sizing_kernel.inl"
#include "host/evaluate/simd/sweep_kernel.inl"
#include "host/evaluate/simd/table_kernel.inl"
