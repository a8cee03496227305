# Core and the kernels without any library but the compiler's, for builds where no other is at hand:
# what only needs headers has them from where the compiler looks anyway.
foreach(library Boost::headers nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus fmt::fmt)
  add_library(${library} INTERFACE IMPORTED GLOBAL)
endforeach()
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
find_package(OpenMP REQUIRED)
add_subdirectory(core)
add_subdirectory(kernels)
if(QASSAY_BUILD_TESTS)
  enable_testing()
  add_subdirectory(/usr/src/googletest ${PROJECT_BINARY_DIR}/googletest EXCLUDE_FROM_ALL)
  add_subdirectory(tests)
endif()
