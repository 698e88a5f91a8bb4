// Views of a file's weights: as it is, and through a recipe.
#include <QTemporaryDir>
#include <QtTest>

#include "core/run/weights.h"
#include "kernels/formats/codec.h"
#include "tests/unit/run/tiny_llama.h"

using namespace bitlens;
using testing::TinyLlama;

class WeightsTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::shared_ptr<const model::Model> open(const TinyLlama& tiny) {
    return tiny.open(folder_.filePath("tiny.gguf").toStdString());
  }
  static TinyLlama wide() {
    TinyLlama tiny;
    tiny.width = 64;
    tiny.ffn = 96;
    return tiny.draw();
  }
  static std::unique_ptr<run::WeightSource> view(const std::shared_ptr<const model::Model>& model,
                                                 const char* pattern, kernels::Format format) {
    quantize::Recipe recipe;
    recipe.rules.push_back({pattern, format, std::nullopt});
    auto resolved = quantize::resolve(recipe, model->file(), kernels::Quantizer::Rtn);
    return resolved ? run::recipe_weights(model, *resolved) : nullptr;
  }

 private slots:
  void file_weights_are_the_file() {
    TinyLlama tiny = wide();
    const auto model = open(tiny);
    QVERIFY(model != nullptr);
    const auto source = run::file_weights(model);
    ThreadPool pool(3);
    const WorkContext work{pool};
    const std::size_t tensor = *model->file().find_tensor("blk.1.ffn_down.weight");
    std::vector<float> values(tiny.tensors["blk.1.ffn_down.weight"].size());
    QVERIFY(source->load(tensor, values, work));
    QVERIFY(values == tiny.tensors["blk.1.ffn_down.weight"]);
    std::vector<float> rows(2 * 96);
    QVERIFY(source->load_rows(tensor, 5, 2, rows.data()));
    QVERIFY(std::equal(rows.begin(), rows.end(), values.begin() + 5 * 96));
    QVERIFY(!source->differs(tensor));
    QCOMPARE(source->load(tensor, std::span(values).first(10), work).error().code,
             ErrorCode::InvalidArgument);
  }

  void encoded_rows_decode_to_the_rows() {
    const auto model = open(wide());
    QVERIFY(model != nullptr);
    const std::size_t changed = *model->file().find_tensor("blk.0.ffn_up.weight");
    const std::size_t kept = *model->file().find_tensor("blk.1.ffn_up.weight");
    const auto file = run::file_weights(model);
    const auto recipe = view(model, "blk.0.ffn_*", kernels::Format::Q4_0);
    QVERIFY(recipe != nullptr);
    for (const auto* source : {file.get(), recipe.get()})
      for (const std::size_t tensor : {changed, kept}) {
        const kernels::FormatInfo& format = kernels::info(source->format(tensor));
        constexpr std::size_t count = 3 * 64;
        std::vector<std::byte> encoded(count / format.block_size * format.block_bytes);
        std::vector<float> decoded(count), rows(count);
        QVERIFY(source->load_encoded(tensor, 7, 3, encoded.data()));
        kernels::decode(format.format, encoded.data(), decoded.data(), count);
        QVERIFY(source->load_rows(tensor, 7, 3, rows.data()));
        QVERIFY(decoded == rows);
      }
  }

  void a_recipe_changes_what_it_names() {
    TinyLlama tiny = wide();
    const auto model = open(tiny);
    QVERIFY(model != nullptr);
    const auto file = run::file_weights(model);
    const auto source = view(model, "blk.0.ffn_*", kernels::Format::Q4_0);
    QVERIFY(source != nullptr);
    const std::size_t changed = *model->file().find_tensor("blk.0.ffn_up.weight");
    const std::size_t kept = *model->file().find_tensor("blk.1.ffn_up.weight");
    const std::size_t norm = *model->file().find_tensor("blk.0.attn_norm.weight");
    QVERIFY(source->differs(changed) && !source->differs(kept) && !source->differs(norm));
    QCOMPARE(source->format(changed), kernels::Format::Q4_0);
    QCOMPARE(source->format(kept), kernels::Format::F32);
    QVERIFY(!run::same_weights(*file, *source, changed));
    QVERIFY(run::same_weights(*file, *source, kept));

    const std::vector<float>& weights = tiny.tensors["blk.0.ffn_up.weight"];
    std::vector<std::byte> encoded(weights.size() / 32 * 18);
    std::vector<float> expected(weights.size()), values(weights.size());
    kernels::encode(kernels::Format::Q4_0, kernels::Quantizer::Rtn, weights.data(), nullptr, encoded.data(),
                    weights.size());
    kernels::decode(kernels::Format::Q4_0, encoded.data(), expected.data(), expected.size());
    ThreadPool pool(2);
    QVERIFY(source->load(changed, values, WorkContext{pool}));
    QVERIFY(values == expected);
    QVERIFY(values != weights);
  }

  void not_a_number_is_refused_by_name() {
    TinyLlama tiny = wide();
    tiny.tensors["blk.1.attn_k.weight"][70] = std::nanf("");
    const auto model = open(tiny);
    QVERIFY(model != nullptr);
    const std::size_t tensor = *model->file().find_tensor("blk.1.attn_k.weight");
    std::vector<float> values(tiny.tensors["blk.1.attn_k.weight"].size());
    ThreadPool pool(2);
    const auto file = run::file_weights(model);
    const auto changed = view(model, "blk.1.attn_k.weight", kernels::Format::Q8_0);
    for (const run::WeightSource* source : {file.get(), changed.get()}) {
      const Status status = source->load(tensor, values, WorkContext{pool});
      QVERIFY(!status);
      QCOMPARE(status.error().code, ErrorCode::Numeric);
      QCOMPARE(status.error().where.object, std::string("blk.1.attn_k.weight"));
      QCOMPARE(status.error().message, std::string("element 70 is NaN"));
    }
  }

  void values_a_format_cannot_hold_are_refused() {
    TinyLlama tiny = wide();
    tiny.tensors["blk.1.attn_k.weight"][70] = 1e6F;
    const auto model = open(tiny);
    QVERIFY(model != nullptr);
    const auto source = view(model, "blk.1.attn_k.weight", kernels::Format::F16);
    std::vector<float> values(tiny.tensors["blk.1.attn_k.weight"].size());
    ThreadPool pool(1);
    const Status status =
        source->load(*model->file().find_tensor("blk.1.attn_k.weight"), values, WorkContext{pool});
    QVERIFY(!status);
    QCOMPARE(status.error().message, std::string("element 70 is infinite after encoding as F16"));
  }
};

QTEST_APPLESS_MAIN(WeightsTest)
#include "tst_weights.moc"
