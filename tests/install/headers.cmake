# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Every public header compiles alone, and twice in one file: one generated source per header.
get_property(include_dirs GLOBAL PROPERTY TONNAGE_INCLUDE_DIRS)
get_property(libraries GLOBAL PROPERTY TONNAGE_LIBRARIES)
set(sources "")
foreach(include_dir ${include_dirs})
  file(GLOB_RECURSE headers RELATIVE ${include_dir} CONFIGURE_DEPENDS ${include_dir}/*.hpp ${include_dir}/*.h)
  foreach(header ${headers})
    string(MAKE_C_IDENTIFIER ${header} stem)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${stem}.cpp)
    file(CONFIGURE OUTPUT ${source} CONTENT "#include \"@header@\"\n#include \"@header@\"\n" @ONLY)
    list(APPEND sources ${source})
  endforeach()
endforeach()
add_library(public_headers_test OBJECT ${sources})
tonnage_target(public_headers_test)
set_target_properties(public_headers_test PROPERTIES UNITY_BUILD OFF)
target_link_libraries(public_headers_test PRIVATE ${libraries})
