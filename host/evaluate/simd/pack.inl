// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// A SIMD pack of doubles as a lane type (core/lanes.hpp). Included once per instruction set, inside
// a namespace of that set, with TONNAGE_REGISTER_BYTES and TONNAGE_PACK_REGISTERS defined: the
// types differ between sets, so code of one set cannot be linked into another. A pack has several
// registers because the latency of one multiplication per state limits the chain.

typedef double NativeDouble __attribute__((vector_size(TONNAGE_REGISTER_BYTES)));
// For unaligned memory: loads whole registers, because reloading a copy in parts would stall.
typedef double UnalignedDouble
    __attribute__((vector_size(TONNAGE_REGISTER_BYTES), aligned(8), may_alias));
typedef long long NativeMask __attribute__((vector_size(TONNAGE_REGISTER_BYTES)));

constexpr int kRegisters = TONNAGE_PACK_REGISTERS;
constexpr int kLanesPerRegister = TONNAGE_REGISTER_BYTES / 8;
constexpr int kLanes = kRegisters * kLanesPerRegister;

#define TONNAGE_EACH for (int i = 0; i < kRegisters; ++i)

struct Mask {
  NativeMask reg[kRegisters];
};

struct Pack {
  NativeDouble reg[kRegisters];

  Pack() = default;
  TONNAGE_HD explicit Pack(double x) { TONNAGE_EACH reg[i] = x - NativeDouble{}; }
  TONNAGE_HD static Pack load(const double* from) {
    Pack p;
    TONNAGE_EACH p.reg[i] = *reinterpret_cast<const UnalignedDouble*>(from + i * kLanesPerRegister);
    return p;
  }
  TONNAGE_HD void store(double* to) const {
    TONNAGE_EACH *reinterpret_cast<UnalignedDouble*>(to + i * kLanesPerRegister) = reg[i];
  }
};

#define TONNAGE_ARITHMETIC(op)                             \
  TONNAGE_HD Pack operator op(const Pack& a, const Pack& b) { \
    Pack r;                                                \
    TONNAGE_EACH r.reg[i] = a.reg[i] op b.reg[i];          \
    return r;                                              \
  }
TONNAGE_ARITHMETIC(+)
TONNAGE_ARITHMETIC(-)
TONNAGE_ARITHMETIC(*)
TONNAGE_ARITHMETIC(/)
#undef TONNAGE_ARITHMETIC

#define TONNAGE_COMPARISON(op)                             \
  TONNAGE_HD Mask operator op(const Pack& a, const Pack& b) { \
    Mask r;                                                \
    TONNAGE_EACH r.reg[i] = a.reg[i] op b.reg[i];          \
    return r;                                              \
  }
TONNAGE_COMPARISON(<)
TONNAGE_COMPARISON(<=)
TONNAGE_COMPARISON(>)
TONNAGE_COMPARISON(>=)
#undef TONNAGE_COMPARISON

TONNAGE_HD Mask operator&(const Mask& a, const Mask& b) {
  Mask r;
  TONNAGE_EACH r.reg[i] = a.reg[i] & b.reg[i];
  return r;
}
TONNAGE_HD Mask operator|(const Mask& a, const Mask& b) {
  Mask r;
  TONNAGE_EACH r.reg[i] = a.reg[i] | b.reg[i];
  return r;
}
TONNAGE_HD Mask operator==(const Mask& a, const Mask& b) {
  Mask r;
  TONNAGE_EACH r.reg[i] = ~(a.reg[i] ^ b.reg[i]);
  return r;
}
TONNAGE_HD Mask operator!(const Mask& a) {
  Mask r;
  TONNAGE_EACH r.reg[i] = ~a.reg[i];
  return r;
}

TONNAGE_HD NativeDouble native_fma(NativeDouble a, NativeDouble b, NativeDouble c) {
#if TONNAGE_REGISTER_BYTES == 64 && defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, c);
#elif TONNAGE_REGISTER_BYTES == 32 && defined(__FMA__)
  return _mm256_fmadd_pd(a, b, c);
#else
  NativeDouble r;
  for (int i = 0; i < kLanesPerRegister; ++i) r[i] = __builtin_fma(a[i], b[i], c[i]);
  return r;
#endif
}

TONNAGE_HD bool native_any(NativeMask m) {
#if TONNAGE_REGISTER_BYTES == 64 && defined(__AVX512DQ__)
  return _mm512_movepi64_mask((__m512i)m) != 0;
#elif TONNAGE_REGISTER_BYTES == 32 && defined(__AVX2__)
  return _mm256_movemask_pd((__m256d)m) != 0;
#else
  long long any = 0;
  for (int i = 0; i < kLanesPerRegister; ++i) any |= m[i];
  return any != 0;
#endif
}

// One bit per lane, the first lane lowest.
TONNAGE_HD unsigned native_bits(NativeMask m) {
#if TONNAGE_REGISTER_BYTES == 64 && defined(__AVX512DQ__)
  return _mm512_movepi64_mask((__m512i)m);
#elif TONNAGE_REGISTER_BYTES == 32 && defined(__AVX2__)
  return static_cast<unsigned>(_mm256_movemask_pd((__m256d)m));
#else
  unsigned bits = 0;
  for (int i = 0; i < kLanesPerRegister; ++i) bits |= (m[i] != 0 ? 1u : 0u) << i;
  return bits;
#endif
}

TONNAGE_HD Pack lane_fma(const Pack& a, const Pack& b, const Pack& c) {
  Pack r;
  TONNAGE_EACH r.reg[i] = native_fma(a.reg[i], b.reg[i], c.reg[i]);
  return r;
}
TONNAGE_HD Pack lane_fnma(const Pack& a, const Pack& b, const Pack& c) {
  Pack r;
  TONNAGE_EACH r.reg[i] = native_fma(-a.reg[i], b.reg[i], c.reg[i]);
  return r;
}
TONNAGE_HD Pack lane_select(const Mask& m, const Pack& a, const Pack& b) {
  Pack r;
  TONNAGE_EACH r.reg[i] = m.reg[i] ? a.reg[i] : b.reg[i];
  return r;
}
TONNAGE_HD bool lane_any(const Mask& m) {
  NativeMask any = m.reg[0];
  for (int i = 1; i < kRegisters; ++i) any |= m.reg[i];
  return native_any(any);
}
TONNAGE_HD unsigned lane_bits(const Mask& m) {
  unsigned bits = 0;
  for (int i = 0; i < kRegisters; ++i) bits |= native_bits(m.reg[i]) << (i * kLanesPerRegister);
  return bits;
}
TONNAGE_HD Pack lane_max(const Pack& a, const Pack& b) { return lane_select(a > b, a, b); }
TONNAGE_HD Pack lane_min(const Pack& a, const Pack& b) { return lane_select(a < b, a, b); }
TONNAGE_HD Pack lane_abs(const Pack& a) {
  const Pack zero(0.0);
  return lane_select(a < zero, zero - a, a);
}
TONNAGE_HD double lane_lowest(const Pack& a) {
  double lane[kLanes];
  a.store(lane);
  double r = lane[0];
  for (int i = 1; i < kLanes; ++i) r = lane[i] < r ? lane[i] : r;
  return r;
}
TONNAGE_HD double lane_highest(const Pack& a) {
  double lane[kLanes];
  a.store(lane);
  double r = lane[0];
  for (int i = 1; i < kLanes; ++i) r = lane[i] > r ? lane[i] : r;
  return r;
}
#undef TONNAGE_EACH
