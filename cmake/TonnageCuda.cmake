# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Decides whether the CUDA backend is compiled. Sets TONNAGE_CUDA_ENABLED and, when it is on, enables
# the language. AUTO never fails: whatever is missing is said and CUDA is left out; ON demands it.
include(CheckLanguage)

set(TONNAGE_CUDA AUTO CACHE STRING "Compile the CUDA backend: AUTO (when nvcc 12+ is found), ON, OFF")
set_property(CACHE TONNAGE_CUDA PROPERTY STRINGS AUTO ON OFF)
set(TONNAGE_CUDA_ARCHITECTURES "" CACHE STRING
    "GPU architectures to compile for, in CMake's notation; empty: 8.0 and 9.0, PTX for newer ones")
set(TONNAGE_CUDA_ENABLED OFF)

string(TOUPPER "${TONNAGE_CUDA}" tonnage_cuda)
if(NOT tonnage_cuda MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "TONNAGE_CUDA is '${TONNAGE_CUDA}'; it takes AUTO, ON or OFF")
endif()
if(NOT tonnage_cuda STREQUAL "OFF")
  # The toolkit's usual place is often not on PATH.
  if(NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(tonnage_nvcc nvcc PATHS ENV CUDA_PATH /usr/local/cuda PATH_SUFFIXES bin NO_CACHE)
    if(tonnage_nvcc)
      set(ENV{CUDACXX} ${tonnage_nvcc})
    endif()
  endif()
  check_language(CUDA)
  set(tonnage_cuda_problem "")
  if(CMAKE_CUDA_COMPILER)
    execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --version
                    OUTPUT_VARIABLE tonnage_nvcc_version ERROR_QUIET)
    string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" _ "${tonnage_nvcc_version}")
    set(tonnage_nvcc_version "${CMAKE_MATCH_1}")
    if(tonnage_nvcc_version VERSION_LESS 12)
      set(tonnage_cuda_problem
          "${CMAKE_CUDA_COMPILER} has version '${tonnage_nvcc_version}'; 12 or newer is needed")
    endif()
  else()
    set(tonnage_cuda_problem "no working CUDA compiler was found")
  endif()

  if(NOT tonnage_cuda_problem)
    set(TONNAGE_CUDA_ENABLED ON)
  elseif(tonnage_cuda STREQUAL "AUTO")
    message(STATUS "CUDA backend: left out (${tonnage_cuda_problem})")
  else()
    message(FATAL_ERROR "TONNAGE_CUDA=${TONNAGE_CUDA}, but ${tonnage_cuda_problem}")
  endif()
endif()

if(TONNAGE_CUDA_ENABLED)
  set(tonnage_cuda_architectures "${TONNAGE_CUDA_ARCHITECTURES}")
  if(NOT tonnage_cuda_architectures)
    # Native code for the common data-centre cards; the last entry also carries PTX, from which
    # drivers compile for newer cards when they first meet the kernels. Each entry makes the build
    # about 50 s longer.
    set(tonnage_cuda_architectures 80-real 90)
  endif()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES ${tonnage_cuda_architectures})
  endif()
  enable_language(CUDA)
  find_package(CUDAToolkit 12 REQUIRED)
  message(STATUS "CUDA backend: nvcc ${tonnage_nvcc_version}, architectures ${CMAKE_CUDA_ARCHITECTURES}")
endif()
