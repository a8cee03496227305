# Text files baked into the program, so that it finds them from any directory.

# qassay_embed(TARGET SYMBOL FILE)
#   Bakes FILE (relative to the calling folder, or absolute) into TARGET. Sources of TARGET then say
#     #include "embedded/SYMBOL.hpp"
#     std::string_view text = qassay::embedded::SYMBOL();     // followed by a zero byte
#   SYMBOL is an identifier, unique in the whole program. The assembler copies the file (.incbin), so
#   its size costs no compile time; a changed file configures anew, and its hash in the generated
#   source rebuilds that, whatever joins or caches it.
function(qassay_embed target symbol file)
  get_filename_component(file "${file}" ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT EXISTS "${file}")
    message(FATAL_ERROR "qassay_embed: ${file} does not exist")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
  file(SHA256 "${file}" hash)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/embed)
  file(CONFIGURE OUTPUT ${folder}/embedded/${symbol}.hpp @ONLY CONTENT [=[
#pragma once

#include <string_view>

namespace qassay::embedded {

std::string_view @symbol@();

}  // namespace qassay::embedded
]=])
  file(CONFIGURE OUTPUT ${folder}/embedded/${symbol}.cpp @ONLY CONTENT [=[
// SHA-256 of the file: @hash@
#include "embedded/@symbol@.hpp"

__asm__(
    ".pushsection .rodata.qassay_embedded_@symbol@,\"a\"\n"
    ".global qassay_embedded_@symbol@_begin\n"
    ".global qassay_embedded_@symbol@_end\n"
    ".hidden qassay_embedded_@symbol@_begin\n"
    ".hidden qassay_embedded_@symbol@_end\n"
    "qassay_embedded_@symbol@_begin:\n"
    ".incbin \"@file@\"\n"
    "qassay_embedded_@symbol@_end:\n"
    ".byte 0\n"
    ".popsection\n");

extern "C" __attribute__((visibility("hidden"))) const char qassay_embedded_@symbol@_begin[];
extern "C" __attribute__((visibility("hidden"))) const char qassay_embedded_@symbol@_end[];

namespace qassay::embedded {

std::string_view @symbol@() {
  return {qassay_embedded_@symbol@_begin, qassay_embedded_@symbol@_end};
}

}  // namespace qassay::embedded
]=])
  target_sources(${target} PRIVATE ${folder}/embedded/${symbol}.cpp)
  target_include_directories(${target} PRIVATE ${folder})
endfunction()
