# Fails when an object file defines a symbol that the linker may merge with another file's, or when
# there is no object file.  cmake -DNM=nm -DOBJECTS=a.o,b.o -P no_weak_symbols.cmake
string(REPLACE "," ";" objects "${OBJECTS}")
list(LENGTH objects count)
if(count EQUAL 0)
  message(FATAL_ERROR "no object files to look at")
endif()
foreach(object IN LISTS objects)
  execute_process(COMMAND ${NM} --defined-only ${object}
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  # W, V: weak; u: unique. A strong function must be there, or nm said nothing.
  if(symbols MATCHES "[^\n]* [WVwvu] [^\n]*")
    message(FATAL_ERROR "${object}: ${CMAKE_MATCH_0}")
  endif()
  if(NOT symbols MATCHES " T ")
    message(FATAL_ERROR "${object}: defines no function")
  endif()
endforeach()
message(STATUS "${count} object files without weak symbols")
