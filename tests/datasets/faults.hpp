#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <string>

#include "core/error.hpp"

namespace qassay {

/// What an InputError says; fails the test where nothing, or something else, is thrown.
inline std::string fault_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no InputError";
  return {};
}

}  // namespace qassay
