# One target per room (folder). Links state who may know whom; tests/structure proves it.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(qassay_options INTERFACE)
# Contraction would let the compiler turn a*b+c into one rounding on one ISA and two on another:
# kernels that promise equal bits say fma where they mean it.
target_compile_options(qassay_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -ffp-contract=off $<$<BOOL:${QASSAY_WERROR}>:-Werror>)
if(QASSAY_SANITIZE)
  target_compile_options(qassay_options INTERFACE
    -fsanitize=${QASSAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(qassay_options INTERFACE -fsanitize=${QASSAY_SANITIZE})
endif()

# qassay_room(NAME [KIND STATIC|SHARED] SOURCES ... [PUBLIC libs] [PRIVATE libs])
function(qassay_room name)
  cmake_parse_arguments(ROOM "" "KIND" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT ROOM_KIND)
    set(ROOM_KIND STATIC)
  endif()
  add_library(qassay_${name} ${ROOM_KIND} ${ROOM_SOURCES})
  target_include_directories(qassay_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(qassay_${name} PUBLIC ${ROOM_PUBLIC} PRIVATE ${ROOM_PRIVATE} qassay_options)
endfunction()
