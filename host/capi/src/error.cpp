// SPDX-FileCopyrightText: The tonnage authors
// SPDX-License-Identifier: Apache-2.0
// Versions, statuses and error objects of the C interface.
#include "host/capi/src/handles.hpp"
#include "tonnage/host/planner.hpp"

const char* tonnage_version() {
  return tonnage::version().data();  // a string literal, so it ends with NUL
}

const char* tonnage_status_name(tonnage_status status) {
  switch (status) {
    case TONNAGE_OK:
      return "ok";
    case TONNAGE_INVALID_INPUT:
      return "invalid input";
    case TONNAGE_NOT_FOUND:
      return "not found";
    case TONNAGE_UNAVAILABLE:
      return "unavailable";
    case TONNAGE_IO:
      return "input/output error";
    case TONNAGE_NO_MEMORY:
      return "out of memory";
    case TONNAGE_INTERNAL:
      return "internal error";
    case TONNAGE_STOPPED:
      return "stopped";
  }
  return "unknown status";
}

tonnage_error* tonnage_error_new() { return new (std::nothrow) tonnage_error; }

void tonnage_error_free(tonnage_error* error) { delete error; }

const char* tonnage_error_message(const tonnage_error* error) {
  return error == nullptr ? "" : error->message.c_str();
}
