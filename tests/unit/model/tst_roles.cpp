// Tensor names to layers and modules.
#include <QtTest>

#include "core/model/model.h"

using namespace bitlens;
using model::Module;

class RolesTest : public QObject {
  Q_OBJECT

 private slots:
  void names_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("module");
    QTest::addColumn<int>("layer");
    QTest::addColumn<bool>("weight");
    const auto row = [](const char* name, Module module, int layer, bool weight = true) {
      QTest::newRow(name) << name << static_cast<int>(module) << layer << weight;
    };
    row("token_embd.weight", Module::TokenEmbedding, -1);
    row("output.weight", Module::Output, -1);
    row("output_norm.weight", Module::OutputNorm, -1);
    row("rope_freqs.weight", Module::RopeFreqs, -1);
    row("blk.0.attn_q.weight", Module::AttnQ, 0);
    row("blk.12.attn_q.bias", Module::AttnQ, 12, false);
    row("blk.3.attn_qkv.weight", Module::AttnQkv, 3);
    row("blk.3.attn_q_norm.weight", Module::AttnQNorm, 3);
    row("blk.3.post_ffw_norm.weight", Module::PostFfnNorm, 3);
    row("blk.3.ffn_down.weight", Module::FfnDown, 3);
    row("blk.3.ffn_up_exps.weight", Module::FfnUp, 3);
    row("blk.3.ffn_gate.7.weight", Module::FfnGate, 3);
    row("blk.65535.ffn_down.weight", Module::FfnDown, 65535);
    row("blk.3.ssm_a", Module::Other, 3, false);
    // Not blocks: too large, signed, padded, empty, no number.
    row("blk.65536.attn_q.weight", Module::Other, -1);
    row("blk.99999999999999999999.attn_q.weight", Module::Other, -1);
    row("blk.-1.attn_q.weight", Module::Other, -1);
    row("blk.007.attn_q.weight", Module::Other, -1);
    row("blk..attn_q.weight", Module::Other, -1);
    row("blk.1x.attn_q.weight", Module::Other, -1);
    row("blk.", Module::Other, -1, false);
    row("", Module::Other, -1, false);
    row("other", Module::Other, -1, false);
  }
  void names() {
    QFETCH(QString, name);
    io::TensorInfo tensor;
    tensor.name = name.toStdString();
    tensor.shape = {32, 4};
    const model::TensorRole role = model::role_of(tensor);
    QTEST(static_cast<int>(role.module), "module");
    QTEST(role.layer, "layer");
    QTEST(role.is_weight, "weight");
  }

  void matrices() {
    const auto is_matrix = [](const char* name, std::vector<std::uint64_t> shape,
                              kernels::Format format = kernels::Format::F32) {
      io::TensorInfo tensor;
      tensor.name = name;
      tensor.shape = std::move(shape);
      tensor.format = format;
      return model::role_of(tensor).is_matrix;
    };
    QVERIFY(is_matrix("blk.0.attn_q.weight", {64, 64}));
    QVERIFY(is_matrix("token_embd.weight", {64, 512}, kernels::Format::Q8_0));
    QVERIFY(is_matrix("blk.0.ffn_up_exps.weight", {64, 128, 8}));
    QVERIFY(!is_matrix("blk.0.attn_norm.weight", {64}));
    QVERIFY(!is_matrix("blk.0.attn_q_norm.weight", {64, 8}));
    QVERIFY(!is_matrix("blk.0.attn_q.bias", {64}));
    QVERIFY(!is_matrix("blk.0.attn_q.bias", {64, 2}));
    QVERIFY(!is_matrix("blk.0.ids.weight", {64, 2}, kernels::Format::I32));
  }

  void every_module_has_its_name() {
    QCOMPARE(model::module_name(Module::TokenEmbedding), std::string_view("token_embd"));
    QCOMPARE(model::module_name(Module::PostAttnNorm), std::string_view("post_attention_norm"));
    QCOMPARE(model::module_name(Module::Output), std::string_view("output"));
    QCOMPARE(model::module_name(Module::Other), std::string_view("other"));
    // Names and roles agree in both directions.
    for (int i = 0; i < static_cast<int>(Module::Other); ++i) {
      io::TensorInfo tensor;
      tensor.name = std::string(model::module_name(static_cast<Module>(i))) + ".weight";
      QCOMPARE(static_cast<int>(model::role_of(tensor).module), i);
    }
  }
};

QTEST_APPLESS_MAIN(RolesTest)
#include "tst_roles.moc"
