# Run at every build: writes OUTPUT from INPUT with the revision of SOURCE_DIR, and touches it only when
# it changes. The other variables of the template are given with -D.
execute_process(COMMAND git describe --always --dirty --abbrev=12 --exclude=*
  WORKING_DIRECTORY ${SOURCE_DIR} OUTPUT_VARIABLE QASSAY_REVISION RESULT_VARIABLE failed
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(failed)
  set(QASSAY_REVISION unknown)
endif()
configure_file(${INPUT} ${OUTPUT} @ONLY)
