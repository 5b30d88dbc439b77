// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// The one exception type of the library. Owns: the error codes.
//
// Example:
//   try {
//     throw tonnage::Error(tonnage::ErrorCode::kNotFound, "server \"chat\" is unknown");
//   } catch (const tonnage::Error& error) {
//     if (error.code() == tonnage::ErrorCode::kNotFound) std::puts(error.what());
//   }
#pragma once

#include <stdexcept>
#include <string_view>

namespace tonnage {

enum class ErrorCode {
  kInvalidInput,  // a value, name or file content that the contract refuses
  kNotFound,      // a lookup by name that must succeed did not
  kUnavailable,   // a backend or optional component that was asked for is not usable here
  kIo,            // a file could not be read or written
};

class Error : public std::runtime_error {
 public:
  // what() is the message made printable(), because names from files may be part of it.
  Error(ErrorCode code, std::string_view message);
  [[nodiscard]] ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace tonnage
