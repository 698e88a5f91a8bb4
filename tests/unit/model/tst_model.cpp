// What a file says about itself as a model, and every way its hyperparameters can be wrong.
#include <QTemporaryDir>
#include <QtTest>
#include <limits>

#include "core/model/model.h"
#include "tests/unit/run/tiny_llama.h"

using namespace bitlens;
using io::MetadataArray;
using io::MetadataValue;
using testing::TinyLlama;

namespace {

using Keys = std::vector<std::pair<std::string, MetadataValue>>;

void set(Keys& keys, const std::string& key, MetadataValue value) {
  for (auto& entry : keys)
    if (entry.first == key) {
      entry.second = std::move(value);
      return;
    }
  keys.emplace_back(key, std::move(value));
}
void remove_key(Keys& keys, const std::string& key) {
  std::erase_if(keys, [&](const auto& entry) { return entry.first == key; });
}

/// One broken (or unusual) file and what is said about it; no message: it can be run.
struct Case {
  const char* name;
  std::function<void(TinyLlama&, Keys&)> change;
  ErrorCode code;
  const char* message;
};

std::function<void(TinyLlama&, Keys&)> key(const char* name, MetadataValue value) {
  return [name, value](TinyLlama&, Keys& keys) { set(keys, std::string("llama.") + name, value); };
}
std::function<void(TinyLlama&, Keys&)> without(const char* name) {
  return [name](TinyLlama&, Keys& keys) { remove_key(keys, std::string("llama.") + name); };
}

const float not_a_number = std::numeric_limits<float>::quiet_NaN();
const float infinite = std::numeric_limits<float>::infinity();
constexpr ErrorCode bad = ErrorCode::BadFile, unsupported = ErrorCode::Unsupported;

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"block_count missing", without("block_count"), bad, "key llama.block_count is missing"},
      {"context_length missing", without("context_length"), bad, "key llama.context_length is missing"},
      {"embedding_length missing", without("embedding_length"), bad, "key llama.embedding_length is missing"},
      {"feed_forward missing", without("feed_forward_length"), bad, "key llama.feed_forward_length is missing"},
      {"head_count missing", without("attention.head_count"), bad, "key llama.attention.head_count is missing"},
      {"epsilon missing", without("attention.layer_norm_rms_epsilon"), bad,
       "key llama.attention.layer_norm_rms_epsilon is missing"},
      {"block_count a string", key("block_count", std::string("2")), bad, "has type string, expected an integer"},
      {"block_count a float", key("block_count", 2.0F), bad, "has type float32, expected an integer"},
      {"block_count an array", key("block_count", MetadataArray(std::vector<std::uint32_t>{2})), bad,
       "has type array of uint32, expected an integer"},
      {"block_count as u64", key("block_count", std::uint64_t{2}), bad, nullptr},
      {"head_count as i32", key("attention.head_count", std::int32_t{4}), bad, nullptr},
      {"head_count as u16", key("attention.head_count", std::uint16_t{4}), bad, nullptr},
      {"block_count negative", key("block_count", std::int32_t{-1}), bad, "is -1, must not be negative"},
      {"head_count 0", key("attention.head_count", std::uint32_t{0}), bad, "is 0, must be at least 1"},
      {"block_count 0", key("block_count", std::uint32_t{0}), bad, "is 0, must be at least 1"},
      {"embedding_length 0", key("embedding_length", std::uint32_t{0}), bad, "is 0, must be at least 1"},
      {"context_length 0", key("context_length", std::uint32_t{0}), bad, "is 0, must be at least 1"},
      {"block_count huge", key("block_count", std::uint32_t{4294967295U}), bad,
       "4294967295 is unreasonable (limit 65536)"},
      {"width not a multiple of heads",
       [](TinyLlama&, Keys& keys) {
         remove_key(keys, "llama.attention.key_length");
         set(keys, "llama.attention.head_count", std::uint32_t{10});
       },
       bad, "24 is not a multiple of 10"},
      {"heads not a multiple of key heads", key("attention.head_count_kv", std::uint32_t{3}), bad,
       "4 heads cannot share 3 key/value heads"},
      {"more key heads than heads", key("attention.head_count_kv", std::uint32_t{8}), bad,
       "4 heads cannot share 8 key/value heads"},
      {"key heads 0", key("attention.head_count_kv", std::uint32_t{0}), bad, "is 0, must be at least 1"},
      {"key heads per block", key("attention.head_count_kv", MetadataArray(std::vector<std::int32_t>{2, 2})), bad,
       nullptr},
      {"key heads: array too short", key("attention.head_count_kv", MetadataArray(std::vector<std::uint32_t>{2})), bad,
       "array has 1 entries, expected 2"},
      {"key heads: an element 0", key("attention.head_count_kv", MetadataArray(std::vector<std::uint32_t>{2, 0})), bad,
       "array entry 1 is not a positive number"},
      {"key heads: an element negative", key("attention.head_count_kv", MetadataArray(std::vector<std::int32_t>{2, -2})),
       bad, "array entry 1 is not a positive number"},
      {"key heads: floats", key("attention.head_count_kv", MetadataArray(std::vector<float>{2, 2})), bad,
       "has the wrong element type, expected integers"},
      {"key heads differ", key("attention.head_count_kv", MetadataArray(std::vector<std::uint32_t>{2, 4})), unsupported,
       "differs between blocks; such models cannot be run yet"},
      {"value length differs", key("attention.value_length", std::uint32_t{8}), unsupported,
       "values of size 8 beside keys of size 6 cannot be run yet"},
      {"rope above head size", key("rope.dimension_count", std::uint32_t{8}), bad,
       "is 8, must be at most the head size 6"},
      {"rope odd", key("rope.dimension_count", std::uint32_t{5}), bad, "is 5, must be even"},
      {"rope 0", key("rope.dimension_count", std::uint32_t{0}), bad, "is 0, must be at least 1"},
      {"rope absent", without("rope.dimension_count"), bad, nullptr},
      {"epsilon 0", key("attention.layer_norm_rms_epsilon", 0.0F), bad, "is 0, must be a positive number"},
      {"epsilon negative", key("attention.layer_norm_rms_epsilon", -1.0F), bad, "is -1, must be a positive number"},
      {"epsilon NaN", key("attention.layer_norm_rms_epsilon", not_a_number), bad, "is nan, must be a positive number"},
      {"epsilon huge", key("attention.layer_norm_rms_epsilon", 1e30), bad, "is 1e+30, must be a positive number"},
      {"freq_base 0", key("rope.freq_base", 0.0F), bad, "is 0, must be a positive number"},
      {"freq_base negative", key("rope.freq_base", -1.0F), bad, "is -1, must be a positive number"},
      {"freq_base NaN", key("rope.freq_base", not_a_number), bad, "is nan, must be a positive number"},
      {"freq_base infinite", key("rope.freq_base", infinite), bad, "is inf, must be a positive number"},
      {"freq_base absent", without("rope.freq_base"), bad, nullptr},
      {"scaling factor 0", key("rope.scaling.factor", 0.0F), bad, "is 0, must be a positive number"},
      {"scaling factor NaN", key("rope.scaling.factor", not_a_number), bad, "is nan, must be a positive number"},
      {"scaling unknown", key("rope.scaling.type", std::string("foo")), bad, "unknown rope scaling type \"foo\""},
      {"scaling none", key("rope.scaling.type", std::string("none")), bad, nullptr},
      {"scaling yarn", key("rope.scaling.type", std::string("yarn")), unsupported,
       "rope scaling type \"yarn\" cannot be run yet"},
      {"experts", key("expert_count", std::uint32_t{8}), unsupported, "mixtures of experts cannot be run yet"},
      {"more experts used than there are",
       [](TinyLlama&, Keys& keys) {
         set(keys, "llama.expert_count", std::uint32_t{2});
         set(keys, "llama.expert_used_count", std::uint32_t{3});
       },
       bad, "3 of 2 experts"},
      {"sliding window negative", key("attention.sliding_window", std::int32_t{-1}), bad,
       "is -1, must not be negative"},
      {"sliding window 0", key("attention.sliding_window", std::uint32_t{0}), bad, nullptr},
      {"sliding window huge", key("attention.sliding_window", std::uint64_t{1} << 60), bad, nullptr},
      {"ffn width not the tensors'", key("feed_forward_length", std::uint32_t{38}), bad,
       "tensor \"blk.0.ffn_gate.weight\" is [24, 37], expected [24, 38]"},
      {"more blocks than tensors", key("block_count", std::uint32_t{3}), bad,
       "tensor \"blk.2.attn_norm.weight\" is missing"},
      {"tensor missing", [](TinyLlama& tiny, Keys&) { tiny.tensors.erase("blk.1.attn_k.weight"); }, bad,
       "tensor \"blk.1.attn_k.weight\" is missing"},
      {"embedding missing", [](TinyLlama& tiny, Keys&) { tiny.tensors.erase("token_embd.weight"); }, bad,
       "tensor \"token_embd.weight\" is missing"},
      {"output of another size",
       [](TinyLlama& tiny, Keys&) {
         tiny.shapes["output.weight"] = {24, 52};
         tiny.tensors["output.weight"].resize(24 * 52);
       },
       bad, "tensor \"output.weight\" is [24, 52], expected [24, 53]"},
      {"tokens beside rows",
       [](TinyLlama&, Keys& keys) {
         set(keys, "tokenizer.ggml.tokens", MetadataArray(std::vector<std::string>(54, "x")));
       },
       bad, "54 tokens but embedding has 53 rows"},
      {"as many tokens as rows",
       [](TinyLlama&, Keys& keys) {
         set(keys, "tokenizer.ggml.tokens", MetadataArray(std::vector<std::string>(53, "x")));
       },
       bad, nullptr},
      {"a tensor of another architecture",
       [](TinyLlama& tiny, Keys&) {
         tiny.shapes["blk.1.attn_q_norm.weight"] = {6};
         tiny.tensors["blk.1.attn_q_norm.weight"].assign(6, 1.0F);
       },
       unsupported,
       "tensor \"blk.1.attn_q_norm.weight\" is no part of the llama architecture as this program knows it"},
      {"another architecture",
       [](TinyLlama&, Keys& keys) { set(keys, "general.architecture", std::string("mamba9")); }, unsupported,
       "architecture \"mamba9\" cannot be run; it can be inspected, measured by its weights and exported"},
  };
  return all;
}

}  // namespace

class ModelTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;

  Result<std::shared_ptr<const model::Model>> make(TinyLlama tiny,
                                                   const std::function<void(TinyLlama&, Keys&)>& change) {
    Keys edited;
    // Tensors first, so that a change can remove them; then the keys.
    change(tiny, edited);
    const std::string path = folder_.filePath("tiny.gguf").toStdString();
    const std::string bytes = tiny.bytes([&](Keys& keys) {
      TinyLlama scratch;
      change(scratch, keys);
    });
    if (!test::write_bytes(path, bytes)) return fail(ErrorCode::Io, "cannot write the test file");
    auto file = io::open_gguf(path);
    if (!file) return pass(file);
    return model::make_model(*file);
  }

 private slots:
  void hyperparameters_data() {
    QTest::addColumn<int>("index");
    for (std::size_t i = 0; i < cases().size(); ++i) QTest::newRow(cases()[i].name) << static_cast<int>(i);
  }
  void hyperparameters() {
    QFETCH(int, index);
    const Case& one = cases()[static_cast<std::size_t>(index)];
    const auto model = make(TinyLlama().draw(), one.change);
    QVERIFY2(model, model ? "" : model.error().describe().c_str());
    const auto& llama = (*model)->llama();
    if (one.message == nullptr) {
      QVERIFY2(llama, llama ? "" : llama.error().describe().c_str());
      QVERIFY(!(*model)->invalid());
      return;
    }
    QVERIFY(!llama);
    QCOMPARE(QString::fromStdString(llama.error().message), QString(one.message));
    QCOMPARE(llama.error().code, one.code);
    QCOMPARE((*model)->invalid(), one.code == ErrorCode::BadFile);
    QVERIFY(!llama.error().where.file.empty() && !llama.error().where.object.empty());
    QVERIFY(!(*model)->kv_cache_bytes(512));
  }

  void a_valid_model() {
    TinyLlama tiny;
    tiny.linear_factor = 2.0;
    tiny.sliding_window = 32;
    tiny.draw();
    tiny.shapes["extra.stuff"] = {3};
    tiny.tensors["extra.stuff"].assign(3, 1.0F);
    const auto model =
        make(tiny, [](TinyLlama&, Keys& keys) { set(keys, "general.name", std::string("Tiny")); });
    QVERIFY(model && (*model)->llama());
    const model::LlamaParameters& p = *(*model)->llama();
    QCOMPARE(p.layers, 2U);
    QCOMPARE(p.width, 24U);
    QCOMPARE(p.kv_heads, 2U);
    QCOMPARE(p.head_dim, 6U);
    QCOMPARE(p.vocabulary, 53U);
    QCOMPARE(p.sliding_window, 32U);
    QCOMPARE(p.rope.linear_factor, 2.0);
    QVERIFY(!p.tied_output);
    const model::Summary& summary = (*model)->summary();
    QCOMPARE(summary.name, std::string("Tiny"));
    QCOMPARE(summary.layers, 2U);
    QCOMPARE(summary.heads, std::optional<std::uint64_t>(4));
    QCOMPARE(summary.vocabulary, std::optional<std::uint64_t>(53));
    std::uint64_t parameters = 0;
    for (const auto& [name, values] : tiny.tensors) parameters += values.size();
    QCOMPARE(summary.parameters, parameters);
    // 2 (keys and values) * 2 layers * 2 heads * 6 * 100 tokens * 16 bits
    QCOMPARE((*model)->kv_cache_bytes(100), std::optional<std::uint64_t>(2 * 2 * 2 * 6 * 100 * 2));
    QCOMPARE((*model)->kv_cache_bytes(100, 8.5), std::optional<std::uint64_t>(5100));
    QVERIFY(!(*model)->kv_cache_bytes(~std::uint64_t{0}, 1e9));
    const auto& tensors = (*model)->file().tensors();
    QCOMPARE(tensors[*(*model)->block_tensor(1, model::Module::FfnDown)].name,
             std::string("blk.1.ffn_down.weight"));
    QCOMPARE(tensors[*(*model)->global_tensor(model::Module::Output)].name, std::string("output.weight"));
    QVERIFY(!(*model)->block_tensor(2, model::Module::FfnDown));
    QVERIFY(!(*model)->block_tensor(-1, model::Module::FfnDown));
    QVERIFY(!(*model)->block_tensor(0, model::Module::AttnQkv));
    QCOMPARE((*model)->warnings(),
             std::vector<std::string>{"1 tensor is not used by the architecture, such as \"extra.stuff\""});
  }

  void empty_tensors_can_only_be_inspected() {
    const auto model = make(TinyLlama().draw(), [](TinyLlama& tiny, Keys& keys) {
      if (!keys.empty()) set(keys, "general.architecture", std::string("gpt2"));
      tiny.shapes["blk.0.nothing.weight"] = {24, 0};
      tiny.tensors["blk.0.nothing.weight"] = {};
    });
    QVERIFY2(model, model ? "" : model.error().describe().c_str());
    QVERIFY((*model)->invalid());
    QCOMPARE((*model)->llama().error().message,
             std::string("tensor \"blk.0.nothing.weight\" is empty ([24, 0])"));
  }

  void other_kinds_of_files_are_no_models() {
    const auto refusal = [&](const char* type) {
      const auto model = make(TinyLlama().draw(),
                              [&](TinyLlama&, Keys& keys) { set(keys, "general.type", std::string(type)); });
      return model ? std::string() : model.error().message;
    };
    QCOMPARE(refusal("imatrix"), std::string("this file is an importance matrix, not a model"));
    QCOMPARE(refusal("adapter"), std::string("this file is an adapter, not a model"));
    QCOMPARE(refusal("mmproj"), std::string("this file is a multimodal projector, not a model"));
    QCOMPARE(refusal("x\x1b[31m"), std::string("this file is a file of type \"x\\x1B[31m\", not a model"));
    QCOMPARE(refusal("model"), std::string());
  }
};

QTEST_APPLESS_MAIN(ModelTest)
#include "tst_model.moc"
