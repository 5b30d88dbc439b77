// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// What the opaque handles hold. Owns: their layout, the one place where exceptions become statuses,
// and how structs of callers of any age are filled and read.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "tonnage/core/error.hpp"
#include "tonnage/core/plan.hpp"
#include "tonnage/core/system.hpp"
#include "tonnage/tonnage.h"

struct tonnage_error {
  std::string message;
};

struct tonnage_system {
  tonnage::System system;
  tonnage::OptimizerSpec optimizer;
  std::string warnings;
};

struct tonnage_plan {
  tonnage::Plan plan;
  std::string json;  // empty until requested
};

namespace tonnage::capi {

// Thrown through the planner when the progress callback asks to stop.
struct Stopped {};

inline tonnage_status fail(tonnage_error* error, tonnage_status status,
                           std::string_view message) noexcept {
  if (error == nullptr) return status;
  try {
    error->message = message;
  } catch (...) {
    error->message.clear();
  }
  return status;
}

inline tonnage_status to_status(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidInput:
      return TONNAGE_INVALID_INPUT;
    case ErrorCode::kNotFound:
      return TONNAGE_NOT_FOUND;
    case ErrorCode::kUnavailable:
      return TONNAGE_UNAVAILABLE;
    case ErrorCode::kIo:
      return TONNAGE_IO;
  }
  return TONNAGE_INTERNAL;
}

// Runs one call of the interface: nothing it throws gets past here.
template <class Body>
tonnage_status guarded(tonnage_error* error, const Body& body) noexcept {
  try {
    body();
  } catch (const Error& e) {
    return fail(error, to_status(e.code()), e.what());
  } catch (const Stopped&) {
    return fail(error, TONNAGE_STOPPED, "stopped by the progress callback");
  } catch (const std::bad_alloc&) {
    return fail(error, TONNAGE_NO_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return fail(error, TONNAGE_INTERNAL, e.what());
  } catch (...) {
    return fail(error, TONNAGE_INTERNAL, "unknown exception");
  }
  if (error != nullptr) error->message.clear();
  return TONNAGE_OK;
}

[[noreturn]] inline void refuse(const std::string& message) {
  throw Error(ErrorCode::kInvalidInput, message);
}

template <class T>
T& require(T* pointer, const char* name) {
  if (pointer == nullptr) refuse(std::string(name) + " is NULL");
  return *pointer;
}

inline std::string require_text(const char* text, const char* name) { return &require(text, name); }

// Size of a caller's struct; refuses one too small to hold even its size.
template <class T>
std::size_t struct_size(const T* given, const char* name) {
  const std::size_t size = require(given, name).struct_size;
  if (size < sizeof(size)) refuse(std::string(name) + ".struct_size is not set");
  return size;
}

// Gives the caller the fields of `from` that fit and zeros beyond those this version knows.
template <class T>
void give(T from, T* to, const char* name) {
  const std::size_t size = struct_size(to, name);
  from.struct_size = size;
  auto* bytes = reinterpret_cast<unsigned char*>(to);
  std::memcpy(bytes, &from, std::min(size, sizeof(T)));
  if (size > sizeof(T)) std::memset(bytes + sizeof(T), 0, size - sizeof(T));
}

// The caller's struct with zeros for the fields it does not have.
template <class T>
T take(const T* from, const char* name) {
  const std::size_t size = struct_size(from, name);
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  for (std::size_t i = sizeof(T); i < size; ++i) {
    if (bytes[i] != 0) refuse(std::string(name) + " has fields this version does not know");
  }
  T to{};
  std::memcpy(&to, bytes, std::min(size, sizeof(T)));
  return to;
}

}  // namespace tonnage::capi
