#include "models/catalogue.hpp"

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "models/fmnist_cnn.hpp"
#include "models/fmnist_features.hpp"
#include "models/fold.hpp"
#include "models/model_folder.hpp"
#include "tests/datasets/faults.hpp"
#include "tests/datasets/files.hpp"
#include "tests/models/sample_model.hpp"

namespace qassay {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CatalogueTest, KnowsItsModels) {
  EXPECT_THAT(catalogue_models(),
              ElementsAre("fmnist-features", "fmnist-cnn", "gcide-lm", "gcide-lm-outliers"));
  for (const std::string& name : catalogue_models()) EXPECT_FALSE(model_info(name).layers.empty());
}

TEST(CatalogueTest, RefusesWhatItDoesNotKnow) {
  for (const auto& action : std::vector<std::function<void()>>{[] { model_info("nothing"); },
                                                               [] { load_model("nothing", 1); }}) {
    EXPECT_THAT(fault_of(action), AllOf(HasSubstr("'nothing'"), HasSubstr("fmnist-cnn")));
  }
  const TemporaryFolder folder;
  EXPECT_THROW(load_model(folder.path(), 1), InputError);
  EXPECT_THROW(model_info(folder.path()), InputError);
}

TEST(CatalogueTest, TheTrainedConvolutionalNetComesFolded) {
  const Model model = load_model("fmnist-cnn", 1);
  EXPECT_NO_THROW(check_model(model, "fmnist-cnn"));
  for (const Node& node : model.graph.nodes)
    EXPECT_FALSE(std::holds_alternative<BatchNorm>(node.op)) << node.name;
  const ModelInfo info = model_info("fmnist-cnn");
  EXPECT_EQ(info.name, "fmnist-cnn");
  EXPECT_EQ(info.dataset, "fashion-mnist");
  EXPECT_EQ(info.layers, layer_shapes(model.graph));
  EXPECT_FALSE(info.missing);
}

/// What is kept in the repository is the net that the code describes.
TEST(CatalogueTest, TheTrainedConvolutionalNetHasTheGraphOfItsRecipe) {
  Model described = fmnist_cnn();
  initialize(described, 2, "any");
  EXPECT_EQ(load_model("fmnist-cnn", 1).graph, fold_batch_norms(described).graph);
}

TEST(CatalogueTest, AFittedModelIsKnownWithoutAFit) {
  const ModelInfo info = model_info("fmnist-features");
  EXPECT_EQ(info.layers, layer_shapes(fmnist_features_graph()));
  EXPECT_EQ(info.dataset, "fashion-mnist");
}

TEST(CatalogueTest, AFolderIsLoadedAndFolded) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "mine";
  const Model mine = sample_model();
  save_model_folder(mine, path);
  EXPECT_EQ(load_model(path, 1), fold_batch_norms(mine));
  EXPECT_EQ(model_info(path).layers, layer_shapes(mine.graph));
}

}  // namespace
}  // namespace qassay
