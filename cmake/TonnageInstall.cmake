# SPDX-FileCopyrightText: The tonnage authors
# SPDX-License-Identifier: Apache-2.0
# Install rules: the libraries with their headers, the command and its shell completions, the CMake
# package and the pkg-config files (for C and for C++ apart, since a C program needs one shared
# library and no more), and under share/tonnage the schemas and examples.
include(CMakePackageConfigHelpers)

get_property(tonnage_libraries GLOBAL PROPERTY TONNAGE_LIBRARIES)
get_property(tonnage_include_dirs GLOBAL PROPERTY TONNAGE_INCLUDE_DIRS)
set(tonnage_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tonnage)

set(tonnage_cxx_libraries ${tonnage_libraries})
list(REMOVE_ITEM tonnage_cxx_libraries tonnage_capi)
install(TARGETS tonnage_capi tonnage EXPORT tonnageCTargets)
install(TARGETS ${tonnage_cxx_libraries} EXPORT tonnageCxxTargets)
install(TARGETS tonnage_capi_static)
foreach(tonnage_include_dir ${tonnage_include_dirs})
  install(DIRECTORY ${tonnage_include_dir}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
install(EXPORT tonnageCTargets NAMESPACE tonnage:: DESTINATION ${tonnage_package_dir})
install(EXPORT tonnageCxxTargets NAMESPACE tonnage:: DESTINATION ${tonnage_package_dir})

set(tonnage_dependencies Threads)
if(TONNAGE_MILP_ENABLED)
  list(APPEND tonnage_dependencies Cbc)
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/FindCbc.cmake DESTINATION ${tonnage_package_dir})
endif()
if(TONNAGE_CUDA_ENABLED)
  list(APPEND tonnage_dependencies CUDAToolkit)
endif()
list(JOIN tonnage_dependencies " " tonnage_dependencies)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tonnageConfig.cmake.in
  ${PROJECT_BINARY_DIR}/tonnageConfig.cmake INSTALL_DESTINATION ${tonnage_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tonnageConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/tonnageConfig.cmake
              ${PROJECT_BINARY_DIR}/tonnageConfigVersion.cmake
        DESTINATION ${tonnage_package_dir})

# pkg-config: the static libraries, each before those it needs, which is the reverse of the order in
# which the rooms are declared.
set(tonnage_pc_libs "")
foreach(tonnage_library ${tonnage_cxx_libraries})
  string(PREPEND tonnage_pc_libs "-l${tonnage_library} ")
endforeach()
if(TONNAGE_MILP_ENABLED)
  foreach(tonnage_library ${Cbc_LINK_LIBRARIES})
    string(APPEND tonnage_pc_libs "-l${tonnage_library} ")
  endforeach()
endif()
if(TONNAGE_CUDA_ENABLED)
  string(APPEND tonnage_pc_libs "-L${CUDAToolkit_LIBRARY_DIR} -lcudart_static -ldl -lrt ")
endif()
file(RELATIVE_PATH tonnage_pc_to_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
foreach(tonnage_pc tonnage.pc tonnage-cxx.pc)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${tonnage_pc}.in ${PROJECT_BINARY_DIR}/${tonnage_pc} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${tonnage_pc} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/io/schema/ DESTINATION ${CMAKE_INSTALL_DATADIR}/tonnage/schema)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DATADIR}/tonnage)
# The command writes its own completion script; a cross-built one cannot run here.
if(NOT CMAKE_CROSSCOMPILING)
  install(FILES ${PROJECT_BINARY_DIR}/tonnage.bash
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tonnage)
endif()
