# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Finds CBC, the branch-and-cut solver of COIN-OR: the classes in libCbc, not the command's front end
# (libCbcSolver), which prints, takes over signals and keeps global state. Defines Cbc::Cbc and
# Cbc_LINK_LIBRARIES (names for a plain linker command). Installed with the package, which needs it
# where the library was built with CBC.
include(FindPackageHandleStandardArgs)
find_path(Cbc_INCLUDE_DIR CbcModel.hpp PATH_SUFFIXES coin coin-or)
mark_as_advanced(Cbc_INCLUDE_DIR)
set(Cbc_LINK_LIBRARIES Cbc Cgl OsiClp Clp Osi CoinUtils)
set(cbc_variables "")
foreach(library ${Cbc_LINK_LIBRARIES})
  find_library(Cbc_${library}_LIBRARY ${library})
  mark_as_advanced(Cbc_${library}_LIBRARY)
  list(APPEND cbc_variables Cbc_${library}_LIBRARY)
endforeach()
find_package_handle_standard_args(Cbc REQUIRED_VARS ${cbc_variables} Cbc_INCLUDE_DIR)

if(Cbc_FOUND AND NOT TARGET Cbc::Cbc)
  add_library(Cbc::Cbc INTERFACE IMPORTED)
  target_include_directories(Cbc::Cbc SYSTEM INTERFACE ${Cbc_INCLUDE_DIR})
  foreach(variable ${cbc_variables})
    target_link_libraries(Cbc::Cbc INTERFACE ${${variable}})
  endforeach()
endif()
