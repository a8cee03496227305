# Decides whether the library of CUDA kernels is built, and for what. QASSAY_WITH_CUDA says so.
#   QASSAY_ENABLE_CUDA  AUTO  where nvcc is and a GPU answers, for that GPU
#                       ON    for CMAKE_CUDA_ARCHITECTURES (the preset `cuda` names them), or that GPU
#                       OFF   not at all
set(QASSAY_ENABLE_CUDA AUTO CACHE STRING "CUDA kernels: ON, OFF, or AUTO, where a GPU answers")
set(QASSAY_WITH_CUDA OFF)

find_program(QASSAY_NVCC nvcc PATHS /usr/local/cuda/bin ENV CUDA_PATH PATH_SUFFIXES bin)
if(QASSAY_NVCC AND NOT DEFINED CMAKE_CUDA_COMPILER)
  set(CMAKE_CUDA_COMPILER ${QASSAY_NVCC})
endif()
set(_wanted ${QASSAY_ENABLE_CUDA})
if(_wanted STREQUAL AUTO)
  set(_wanted OFF)
  if(QASSAY_NVCC)
    execute_process(COMMAND nvidia-smi -L RESULT_VARIABLE _failed OUTPUT_QUIET ERROR_QUIET)
    if("${_failed}" STREQUAL 0)
      set(_wanted ON)
    endif()
  endif()
endif()
if(_wanted)
  if(NOT QASSAY_NVCC)
    message(FATAL_ERROR "CUDA kernels need nvcc, which is not found; put it into PATH, or build without: "
                        "-DQASSAY_ENABLE_CUDA=OFF")
  endif()
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES native)
  endif()
  enable_language(CUDA)
  find_package(CUDAToolkit REQUIRED)
  set(QASSAY_WITH_CUDA ON)
endif()
