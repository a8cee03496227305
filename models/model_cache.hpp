#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "models/model.hpp"

namespace qassay {

/// Where fitted models are kept: QASSAY_CACHE_DIR, else XDG_CACHE_HOME/qassay, else
/// ~/.cache/qassay; empty (nothing is kept) where none of the three is set.
std::filesystem::path default_cache_folder();

struct CachedModel {
  Model model;
  bool fitted = false;  // now, not taken from the cache
  std::string note;  // what was wrong with the cache, if anything: the model is good all the same
};

/// The model kept under the hash of `key`, as a folder (model_folder.hpp), or else the result of
/// `fit`, which is then kept. A damaged folder is replaced; one that cannot be written is noted.
/// `key` has to name everything that the fit depends on.
CachedModel cached_model(const std::filesystem::path& folder, const std::string& name,
                         const std::string& key, const std::function<Model()>& fit);

}  // namespace qassay
