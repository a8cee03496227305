# Core and the kernels with no library but the compiler's and the headers of fmt, for builds where
# others are not at hand.
add_library(fmt::fmt INTERFACE IMPORTED GLOBAL)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
find_package(OpenMP REQUIRED)
add_subdirectory(core)
add_subdirectory(kernels)
if(QASSAY_BUILD_TESTS)
  enable_testing()
  set(INSTALL_GTEST OFF)
  add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  add_subdirectory(tests)
endif()
