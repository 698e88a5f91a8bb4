// What a drag does to a recipe: rules in front, globs for whole rows and columns, nothing else changed.
#include <QTemporaryDir>
#include <QTest>

#include "core/study/session.h"
#include "tests/gui/studio/studio_test.h"

using namespace bitlens;
using kernels::Format;
using quantize::FormatChoice;
using quantize::Recipe;

namespace {

std::shared_ptr<const study::ModelSession> open(const QString& path) {
  auto session = study::open_model(path.toStdString());
  return session ? *session : nullptr;
}

std::vector<std::size_t> tensors(const model::Model& model,
                                 const std::function<bool(const std::string&)>& wanted) {
  std::vector<std::size_t> out;
  for (std::size_t t = 0; t < model.file().tensors().size(); ++t)
    if (wanted(model.file().tensors()[t].name)) out.push_back(t);
  return out;
}

std::vector<Format> formats(const Recipe& recipe, const model::Model& model) {
  const auto resolved = quantize::resolve(recipe, model.file(), quantize::Quantizer::Rtn);
  std::vector<Format> out;
  if (resolved)
    for (const auto& choice : resolved->tensors) out.push_back(choice.format);
  return out;
}

}  // namespace

class RecipeEditTest : public QObject {
  Q_OBJECT
 private slots:
  void a_column_becomes_one_glob() {
    const auto session = open(folder_.small_model());
    QVERIFY(session);
    const auto ups = tensors(*session->model, [](const auto& n) { return n.ends_with("ffn_up.weight"); });
    QCOMPARE(ups.size(), 2U);
    const auto edit = views::assign({}, *session->model, ups, Format::Q4_0);
    QCOMPARE(edit.recipe.rules.size(), 1U);
    QCOMPARE(edit.recipe.rules[0].tensor, std::string("blk.*.ffn_up.weight"));
    QCOMPARE(edit.accepted, ups);
  }

  void a_layer_becomes_one_glob_and_leaves_its_norms() {
    const auto session = open(folder_.small_model());
    const auto layer = tensors(*session->model, [](const auto& n) { return n.starts_with("blk.1."); });
    const auto edit = views::assign({}, *session->model, layer, Format::Q8_0);
    QCOMPARE(edit.recipe.rules.size(), 1U);
    QCOMPARE(edit.recipe.rules[0].tensor, std::string("blk.1.*.weight"));
    QCOMPARE(edit.vectors_left, 2U);
    const auto after = formats(edit.recipe, *session->model);
    for (std::size_t t = 0; t < after.size(); ++t) {
      const std::string& name = session->file().tensors()[t].name;
      const bool changed = name.starts_with("blk.1.") && name.find("norm") == std::string::npos;
      QCOMPARE(after[t], changed ? Format::Q8_0 : Format::F32);
    }
  }

  void a_later_edit_wins_and_dead_rules_go() {
    const auto session = open(folder_.small_model());
    const auto up = tensors(*session->model, [](const auto& n) { return n == "blk.0.ffn_up.weight"; });
    Recipe recipe = views::assign({}, *session->model, up, Format::Q4_0).recipe;
    recipe = views::assign(recipe, *session->model, up, Format::Q8_0).recipe;
    QCOMPARE(recipe.rules.size(), 1U);
    QCOMPARE(formats(recipe, *session->model)[up[0]], Format::Q8_0);
    const auto all_ups = tensors(*session->model, [](const auto& n) { return n.ends_with("ffn_up.weight"); });
    recipe = views::assign(recipe, *session->model, all_ups, Format::Q5_1).recipe;
    QCOMPARE(recipe.rules.size(), 1U);
    recipe = views::assign(recipe, *session->model, all_ups, FormatChoice()).recipe;
    QVERIFY2(recipe.rules.empty(), "back to the file's precision leaves no rule behind");
  }

  // For random edits: exactly the accepted tensors take the choice, all others keep theirs.
  void only_the_selection_changes() {
    for (const QString& path : {folder_.small_model(), folder_.odd_model()}) {
      const auto session = open(path);
      const std::size_t count = session->file().tensors().size();
      const FormatChoice choices[] = {Format::Q4_0, Format::Q8_0, Format::F16, Format::BF16, FormatChoice()};
      Recipe recipe;
      std::uint32_t state = 12345;
      const auto random = [&state](std::uint32_t below) {
        state = state * 1664525U + 1013904223U;
        return (state >> 8U) % below;
      };
      for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> selection;
        for (std::size_t t = 0; t < count; ++t)
          if (random(4) == 0) selection.push_back(t);
        if (random(5) == 0) {
          const std::string layer = "blk." + std::to_string(random(2)) + ".";
          selection = tensors(*session->model, [&](const auto& n) { return n.starts_with(layer); });
        }
        const FormatChoice choice = choices[random(5)];
        const auto before = formats(recipe, *session->model);
        QCOMPARE(before.size(), count);
        const auto edit = views::assign(recipe, *session->model, selection, choice);
        const auto after = formats(edit.recipe, *session->model);
        QVERIFY2(after.size() == count, "the edited recipe resolves");
        for (std::size_t t = 0; t < count; ++t) {
          const bool taken = std::find(edit.accepted.begin(), edit.accepted.end(), t) != edit.accepted.end();
          const Format wanted = !taken ? before[t] : choice.value_or(session->file().tensors()[t].format);
          QVERIFY2(after[t] == wanted, session->file().tensors()[t].name.c_str());
        }
        recipe = edit.recipe;
      }
    }
  }

  void what_does_not_fit_is_left_out_and_told() {
    const auto session = open(folder_.odd_model());
    QVERIFY(session);
    const auto downs = tensors(*session->model, [](const auto& n) { return n.ends_with("ffn_down.weight"); });
    const auto edit = views::assign({}, *session->model, downs, Format::Q4_0);
    QVERIFY(edit.accepted.empty());
    QVERIFY(edit.recipe.rules.empty());
    QCOMPARE(edit.refused.size(), 2U);
    QCOMPARE(edit.refused[0].kind, views::RefusalKind::RowLength);
    QVERIFY(edit.refused[0].would_fit.has_value());
    QVERIFY(
        quantize::check_format(session->file().tensors()[downs[0]], *edit.refused[0].would_fit).has_value());
    QVERIFY(kernels::info(*edit.refused[0].would_fit).bits_per_weight() >= 4.5);
  }

  void norms_take_floats_only() {
    const auto session = open(folder_.small_model());
    const auto norms =
        tensors(*session->model, [](const auto& n) { return n.ends_with("attn_norm.weight"); });
    QCOMPARE(views::assign({}, *session->model, norms, Format::Q4_0).refused.size(), 2U);
    const auto edit = views::assign({}, *session->model, norms, Format::F16);
    QCOMPARE(edit.recipe.rules[0].tensor, std::string("blk.*.attn_norm.weight"));
    QCOMPARE(formats(edit.recipe, *session->model)[norms[0]], Format::F16);
  }

  void a_preset_is_fitted_to_odd_shapes() {
    const auto session = open(folder_.odd_model());
    Recipe preset;
    preset.fallback = Format::Q4_0;
    QVERIFY(formats(preset, *session->model).empty());  // as it is, it cannot be used
    const auto edit = views::fit(preset, *session->model);
    QCOMPARE(edit.refused.size(), 2U);
    const auto after = formats(edit.recipe, *session->model);
    QVERIFY(!after.empty());
    for (std::size_t t = 0; t < after.size(); ++t)
      if (session->model->role(t).is_matrix)
        QVERIFY(session->file().tensors()[t].row_length() % 32 == 0
                    ? after[t] == Format::Q4_0
                    : kernels::info(after[t]).block_size == 1);
  }

  void names_of_choices_come_back() {
    for (const Format f : views::choosable_formats()) {
      const auto back = views::choice_from_name(views::choice_name(f));
      QVERIFY(back.has_value() && *back == FormatChoice(f));
    }
    QVERIFY(views::choice_from_name("as in file").has_value());
    QVERIFY(!views::choice_from_name("Q4_2").has_value());
    QVERIFY(!views::choice_from_name("Q2_K").has_value() || kernels::info(Format::Q2_K).encodes);
  }

 private:
  test::ModelFolder folder_;
};

QTEST_APPLESS_MAIN(RecipeEditTest)
#include "tst_recipe_edit.moc"
