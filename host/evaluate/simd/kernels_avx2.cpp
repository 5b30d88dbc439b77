// The sizing kernel for one instruction set; the build passes its compiler flags.
#define TONNAGE_ISA avx2
#define TONNAGE_REGISTER_BYTES 32
#define TONNAGE_PACK_REGISTERS 2
#include "host/evaluate/simd/sizing_kernel.inl"
#include "host/evaluate/simd/sweep_kernel.inl"
#include "host/evaluate/simd/table_kernel.inl"
