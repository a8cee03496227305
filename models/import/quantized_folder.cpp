#include "models/import/quantized_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "models/import/hugging_face_folder.hpp"
#include "models/import/packed_layer.hpp"

namespace qassay {
namespace {

constexpr std::string_view kWeightName = ".weight";

template <typename T>
std::vector<T> part_of(const std::vector<T>& all, std::int64_t first, std::int64_t count) {
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

/// Rows of a layer that has zero points.
QuantMatrix take_rows(QuantMatrix whole, std::int64_t first, std::int64_t rows) {
  if (rows == whole.n) return whole;
  const std::int64_t blocks = blocks_per_row(whole.scheme.weights, whole.k);
  whole.n = rows;
  whole.codes = part_of(whole.codes, first * whole.k, rows * whole.k);
  whole.scales = part_of(whole.scales, first * blocks, rows * blocks);
  whole.zero_points = part_of(whole.zero_points, first * blocks, rows * blocks);
  return whole;
}

/// By input, whatever the order of the columns.
Tensor values_of(const ReadLayer& layer) {
  const QuantMatrix& matrix = layer.matrix;
  Tensor tensor{{matrix.n, matrix.k}, std::vector<float>(matrix.codes.size())};
  for (std::int64_t row = 0; row < matrix.n; ++row) {
    for (std::int64_t column = 0; column < matrix.k; ++column) {
      const std::int64_t input =
          layer.order.empty() ? column : layer.order[static_cast<std::size_t>(column)];
      tensor.values[static_cast<std::size_t>(row * matrix.k + input)] = matrix.value(row, column);
    }
  }
  return tensor;
}

class QuantizedReader {
 public:
  explicit QuantizedReader(const HuggingFaceFolder& folder) : folder_(folder) {
    if (!folder_.config.quantization) {
      throw InputError(folder_.config_path(), "has no quantization_config",
                       "give a model that was quantized with GPTQ or AWQ");
    }
    for (const LayerShape& shape : layer_shapes(folder_.config.graph)) names_.insert(shape.name);
  }

  QuantizedFolder read() const {
    folder_.check_unused(used_tensors());
    QuantizedFolder read{folder_.model_without_parameters(), {}, {}};
    for (const TensorSource& source : folder_.sources) {
      Tensor& parameter = read.model.parameters[source.parameter.name];
      if (const auto packed = packed_name(source)) {
        ReadLayer layer = read_layer(source, *packed);
        parameter = values_of(layer);
        if (!layer.order.empty()) read.orders[node_of(source)] = std::move(layer.order);
        read.layers[node_of(source)] = std::move(layer.matrix);
      } else {
        parameter = take_parameter(source, folder_.files.tensor(source.tensor, source.dims));
      }
    }
    folder_.check_tied_head(read.model.parameters);
    if (read.layers.empty()) {
      throw InputError(folder_.config_path(), "says that the weights are quantized, and none is",
                       "give all of the model's files, or remove quantization_config");
    }
    if (config().symmetric) {
      for (auto& [name, layer] : read.layers) drop_zero_points(layer);
    }
    return read;
  }

 private:
  const QuantizationConfig& config() const { return *folder_.config.quantization; }

  static std::string node_of(const TensorSource& source) {
    const std::string& name = source.parameter.name;
    return name.substr(0, name.rfind('.'));
  }

  /// Of the packed layer that the parameter comes from, if it does from one.
  std::optional<std::string> packed_name(const TensorSource& source) const {
    if (!source.parameter.name.ends_with(kWeightName) || !names_.contains(node_of(source)))
      return std::nullopt;
    std::string name = source.tensor.substr(0, source.tensor.size() - kWeightName.size());
    if (!has_packed_layer(folder_.files, name)) return std::nullopt;
    return name;
  }

  std::set<std::string> used_tensors() const {
    std::set<std::string> used;
    for (const TensorSource& source : folder_.sources) {
      const auto packed = packed_name(source);
      if (!packed) {
        used.insert(source.tensor);
        continue;
      }
      for (std::string& tensor : packed_tensors(*packed, config().layout))
        used.insert(std::move(tensor));
      const std::string bias = *packed + ".bias";
      if (folder_.files.has(bias) && is_zero(bias, outputs(source))) used.insert(bias);
    }
    return used;
  }

  /// Some writers give every layer a bias.
  bool is_zero(const std::string& tensor, std::int64_t size) const {
    const std::vector<float> values = folder_.files.tensor(tensor, {size}).values;
    return std::ranges::all_of(values, [](float value) { return value == 0; });
  }

  static std::int64_t outputs(const TensorSource& source) {
    return source.dims[source.turned ? 1 : 0];
  }

  ReadLayer read_layer(const TensorSource& source, const std::string& packed) const {
    const std::int64_t inputs = source.parameter.dims[1];
    ReadLayer layer = read_packed_layer(folder_.files, packed, outputs(source), inputs, config());
    layer.matrix = take_rows(std::move(layer.matrix), source.first_row, source.parameter.dims[0]);
    return layer;
  }

  const HuggingFaceFolder& folder_;
  std::set<std::string> names_;  // of the layers
};

}  // namespace

bool is_quantized_folder(const std::filesystem::path& folder) {
  const std::string json = read_hugging_face_config(folder);
  return is_quantized(json, (folder / "config.json").string());
}

QuantizedFolder read_quantized_folder(const std::filesystem::path& folder, std::int64_t context) {
  return read_quantized_folder(HuggingFaceFolder(folder, context));
}

QuantizedFolder read_quantized_folder(const HuggingFaceFolder& folder) {
  return QuantizedReader(folder).read();
}

}  // namespace qassay
