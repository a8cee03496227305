# The OpenMP and the pthread build of OpenBLAS share one SONAME, and the system's alternatives prefer
# pthread: the OpenMP build is linked by its full path and found at run time through an RPATH. (Not
# a RUNPATH, which LD_LIBRARY_PATH overrules.)
find_library(OpenBlasOpenMp_LIBRARY openblas
  PATHS /usr/lib/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH)
find_path(OpenBlasOpenMp_INCLUDE_DIR cblas.h
  PATHS /usr/include/${CMAKE_LIBRARY_ARCHITECTURE}/openblas-openmp NO_DEFAULT_PATH)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBlasOpenMp
  REQUIRED_VARS OpenBlasOpenMp_LIBRARY OpenBlasOpenMp_INCLUDE_DIR)
if(OpenBlasOpenMp_FOUND AND NOT TARGET OpenBlas::OpenMp)
  get_filename_component(_openblas_dir ${OpenBlasOpenMp_LIBRARY} DIRECTORY)
  add_library(OpenBlas::OpenMp UNKNOWN IMPORTED)
  set_target_properties(OpenBlas::OpenMp PROPERTIES IMPORTED_LOCATION ${OpenBlasOpenMp_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OpenBlasOpenMp_INCLUDE_DIR}
    INTERFACE_LINK_OPTIONS "-Wl,--disable-new-dtags,-rpath,${_openblas_dir}")
endif()
