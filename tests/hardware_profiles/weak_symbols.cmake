# cmake -D NM=nm -D OBJECTS="a.o;b.o" -P weak_symbols.cmake
# Fails when an object that was compiled for one instruction set defines a weak symbol: the linker
# could choose that copy of an inline function for code that must run everywhere.
if(NOT OBJECTS)
  message(FATAL_ERROR "no objects to look at")
endif()
foreach(object ${OBJECTS})
  execute_process(COMMAND ${NM} --defined-only ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  if(NOT symbols MATCHES " T ")
    message(FATAL_ERROR "${object} defines no function")
  endif()
  if(symbols MATCHES " [WwVu] [^\n]*")
    message(SEND_ERROR "${object}: weak symbol${CMAKE_MATCH_0}")
  endif()
endforeach()
