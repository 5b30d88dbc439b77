# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Build options and the compile settings every target shares, carried by target properties only:
# nothing here edits global flags, so the project can live inside another build.
include(GNUInstallDirs)

if(PROJECT_IS_TOP_LEVEL AND NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

option(TONNAGE_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(TONNAGE_BUILD_BENCHMARKS "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})
option(TONNAGE_INSTALL "Define the install rules" ${PROJECT_IS_TOP_LEVEL})
option(TONNAGE_BUILD_FUZZERS "Build the libFuzzer programs (needs clang)" OFF)
option(TONNAGE_UNITY_BUILD "Compile several sources of a target together" ON)
option(TONNAGE_CHECK_HEADERS "With the tests, compile every public header alone" ON)
option(TONNAGE_WARNINGS_AS_ERRORS "Treat compiler warnings as errors" OFF)
set(TONNAGE_SANITIZE "" CACHE STRING "Sanitizers for every target, e.g. address,undefined or thread")
set(TONNAGE_MILP AUTO CACHE STRING "Build the exact solver on CBC: AUTO (when found), ON, OFF")
set_property(CACHE TONNAGE_MILP PROPERTY STRINGS AUTO ON OFF)
set(TONNAGE_MILP_ENABLED OFF)
if(TONNAGE_MILP STREQUAL "ON")
  find_package(Cbc REQUIRED)
elseif(TONNAGE_MILP STREQUAL "AUTO")
  find_package(Cbc)
elseif(NOT TONNAGE_MILP STREQUAL "OFF")
  message(FATAL_ERROR "TONNAGE_MILP is AUTO, ON or OFF, not ${TONNAGE_MILP}")
endif()
if(Cbc_FOUND AND NOT TONNAGE_MILP STREQUAL "OFF")
  set(TONNAGE_MILP_ENABLED ON)
endif()
include(TonnageCuda)

# The folder above all rooms: private headers are included by their path from it.
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH TONNAGE_ROOT)

# The C++ libraries hide their symbols and are static, whatever the enclosing build prefers.
set(BUILD_SHARED_LIBS OFF)

# Sources compiled together: most of a source's time goes into the same headers. More at once save
# little and make a change of one of them slow.
set(TONNAGE_UNITY_SOURCES 6)

# Applies the shared settings to one target. Floating-point contraction is off: fused operations
# appear only where the source says fma, so every backend computes the same bits.
function(tonnage_target target)
  target_include_directories(${target} PRIVATE ${TONNAGE_ROOT})
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    CUDA_VISIBILITY_PRESET hidden CUDA_RUNTIME_LIBRARY Static POSITION_INDEPENDENT_CODE ON
    UNITY_BUILD ${TONNAGE_UNITY_BUILD} UNITY_BUILD_BATCH_SIZE ${TONNAGE_UNITY_SOURCES})
  # A JSON value turns into a C++ one only where the source says so: what an implicit conversion
  # picks depends on the compiler and on the version of nlohmann_json.
  target_compile_definitions(${target} PRIVATE JSON_USE_IMPLICIT_CONVERSIONS=0)
  # Checks of invariants, ours (core/src/check.hpp) and those of the standard library.
  if(TONNAGE_SANITIZE)
    target_compile_definitions(${target} PRIVATE TONNAGE_CHECKS _GLIBCXX_ASSERTIONS)
  else()
    target_compile_definitions(${target} PRIVATE
                               $<$<CONFIG:Debug>:TONNAGE_CHECKS> $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
  endif()
  # -std by hand: CMake 3.25 does not know that nvcc speaks C++20.
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off;-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion>
    # GCC 12 takes a string joined to a literal for an overlap (its bug 105651).
    $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
    # Lane code means & on masks, of which bool is one.
    $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wno-bitwise-instead-of-logical>
    $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;-fmad=false;-Xcompiler=-ffp-contract=off,-Wall,-Wextra,-Wshadow>)
  if(TONNAGE_WARNINGS_AS_ERRORS)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>
                           $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
  endif()
  if(TONNAGE_SANITIZE)
    # GCC's flow analysis loses its way in instrumented code.
    target_compile_options(${target} PRIVATE
                           $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
    target_compile_options(${target} PUBLIC
      $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${TONNAGE_SANITIZE};-fno-omit-frame-pointer;-fno-sanitize-recover=all>)
    target_link_options(${target} PUBLIC -fsanitize=${TONNAGE_SANITIZE})
  endif()
  if(TONNAGE_BUILD_FUZZERS)  # coverage, by which libFuzzer finds its way
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
  endif()
endfunction()

# Declares one library of the project: its settings, its include folder and its export name.
function(tonnage_library target export_name)
  tonnage_target(${target})
  add_library(tonnage::${export_name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${export_name})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_property(GLOBAL APPEND PROPERTY TONNAGE_LIBRARIES ${target})
  set_property(GLOBAL APPEND PROPERTY TONNAGE_INCLUDE_DIRS ${CMAKE_CURRENT_SOURCE_DIR}/include)
endfunction()
