// Setting precisions by mouse and keyboard: drops on cells, selections, headers and the tree; the preview
// before the button is released; undo with names.
#include <QSignalSpy>

#include "tests/gui/studio/studio_test.h"
#include "views/models/map_model.h"
#include "views/models/tensor_tree_model.h"
#include "views/panels/chip.h"
#include "views/panels/map_panel.h"
#include "views/panels/map_view.h"
#include "views/panels/message_bar.h"
#include "views/panels/model_tree.h"
#include "views/panels/palette_panel.h"

using namespace bitlens;
using kernels::Format;

class EditingTest : public QObject {
  Q_OBJECT
 public:
  static void initMain() { test::set_up_studio_tests(); }

 private slots:
  void initTestCase() { test::watch_warnings(); }
  void cleanup() { VERIFY_NO_WARNINGS(); }

  void a_drop_on_a_cell_changes_that_tensor() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    const QModelIndex cell = studio.window->map_panel().map().index_of(studio.tensor("blk.1.attn_v.weight"));
    QVERIFY(test::drop_chip(*view.viewport(), view.visualRect(cell).center(), Format::Q4_1));
    QTRY_COMPARE(studio.format("blk.1.attn_v.weight"), std::string("Q4_1"));
    QCOMPARE(studio.format("blk.0.attn_v.weight"), std::string("F32"));
    QCOMPARE(studio.document().undo_stack().undoText(), QStringLiteral("Set Q4_1 on 1 tensor"));
    QCOMPARE(cell.data().toString(), QStringLiteral("Q4_1"));
  }

  void the_size_follows_the_mouse_before_the_release() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    const auto before = studio.document().resolved()->file_bytes;
    const QModelIndex cell = studio.window->map_panel().map().index_of(studio.tensor("blk.0.ffn_up.weight"));
    QVERIFY(test::drop_chip(*view.viewport(), view.visualRect(cell).center(), Format::Q4_0, false));
    QTRY_VERIFY(studio.document().preview());
    const auto preview = studio.document().preview()->file_bytes;
    QVERIFY(preview < before);
    QCOMPARE(studio.document().resolved()->file_bytes, before);
    QCOMPARE(studio.document().undo_stack().count(), 0);
    QVERIFY(view.is_drop_target(studio.tensor("blk.0.ffn_up.weight")));
    QDragLeaveEvent leave;
    QCoreApplication::sendEvent(view.viewport(), &leave);
    QVERIFY(!studio.document().preview());
    // The drop then gives what the preview said.
    QVERIFY(test::drop_chip(*view.viewport(), view.visualRect(cell).center(), Format::Q4_0));
    QTRY_COMPARE(studio.document().resolved()->file_bytes, preview);
  }

  void a_drop_inside_the_selection_changes_all_of_it() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    const std::size_t a = studio.tensor("blk.0.attn_q.weight"), b = studio.tensor("blk.1.ffn_down.weight");
    studio.document().selection().set({a, b}, a);
    const QModelIndex inside = studio.window->map_panel().map().index_of(b);
    QVERIFY(test::drop_chip(*view.viewport(), view.visualRect(inside).center(), Format::Q8_0));
    QTRY_COMPARE(studio.format("blk.0.attn_q.weight"), std::string("Q8_0"));
    QCOMPARE(studio.format("blk.1.ffn_down.weight"), std::string("Q8_0"));
    QCOMPARE(studio.format("blk.1.attn_q.weight"), std::string("F32"));
  }

  void headers_take_chips_for_rows_and_columns() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    const views::MapModel& map = studio.window->map_panel().map();
    const QModelIndex cell = map.index_of(studio.tensor("blk.1.ffn_up.weight"));
    QHeaderView& columns = *view.horizontalHeader();
    const QPoint on_column(columns.sectionViewportPosition(cell.column()) + 5, columns.height() / 2);
    QVERIFY(test::drop_chip(*columns.viewport(), on_column, Format::Q5_0));
    QTRY_COMPARE(studio.format("blk.0.ffn_up.weight"), std::string("Q5_0"));
    QCOMPARE(studio.format("blk.1.ffn_up.weight"), std::string("Q5_0"));
    QHeaderView& rows = *view.verticalHeader();
    const QPoint on_row(rows.width() / 2, rows.sectionViewportPosition(cell.row()) + 5);
    QVERIFY(test::drop_chip(*rows.viewport(), on_row, Format::Q8_0));
    QTRY_COMPARE(studio.format("blk.1.ffn_up.weight"), std::string("Q8_0"));
    QCOMPARE(studio.format("blk.1.attn_q.weight"), std::string("Q8_0"));
    QCOMPARE(studio.format("blk.0.ffn_up.weight"), std::string("Q5_0"));
    QCOMPARE(studio.format("blk.1.attn_norm.weight"), std::string("F32"));
  }

  void the_tree_takes_chips_for_tensors_branches_and_selections() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::TensorTreeView& tree = studio.window->model_tree().view();
    tree.expandAll();
    QModelIndex leaf, branch;
    for (QModelIndex i = tree.indexAt(QPoint(5, 5)); i.isValid(); i = tree.indexBelow(i)) {
      const auto tensors = tree.tensors_at(i);
      if (tensors.size() == 1 && tensors[0] == studio.tensor("blk.0.attn_k.weight")) leaf = i;
      if (!i.parent().isValid() && i.data().toString() == QLatin1String("blk.1")) branch = i;
    }
    QVERIFY(leaf.isValid() && branch.isValid());
    tree.scrollTo(leaf);
    QVERIFY(test::drop_chip(*tree.viewport(), tree.visualRect(leaf).center(), Format::Q4_0));
    QTRY_COMPARE(studio.format("blk.0.attn_k.weight"), std::string("Q4_0"));
    tree.scrollTo(branch);
    QVERIFY(test::drop_chip(*tree.viewport(), tree.visualRect(branch).center(), Format::Q8_0));
    QTRY_COMPARE(studio.format("blk.1.attn_k.weight"), std::string("Q8_0"));
    QCOMPARE(studio.format("blk.0.attn_k.weight"), std::string("Q4_0"));
    // In the selection: all of it.
    studio.document().selection().set({studio.tensor("blk.0.attn_k.weight"), studio.tensor("output.weight")},
                                      {});
    tree.scrollTo(leaf);
    QVERIFY(test::drop_chip(*tree.viewport(), tree.visualRect(leaf).center(), Format::F16));
    QTRY_COMPARE(studio.format("output.weight"), std::string("F16"));
  }

  void other_drags_are_refused() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    QMimeData mime;
    mime.setText(QStringLiteral("Q4_0"));
    QDropEvent drop(QPointF(40, 40), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(view.viewport(), &drop);
    QCOMPARE(studio.document().undo_stack().count(), 0);
  }

  void keys_assign_the_chip_with_their_number() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    studio.window->activateWindow();
    view.setFocus();
    QTRY_VERIFY(view.hasFocus());
    const views::MapModel& map = studio.window->map_panel().map();
    for (const views::Chip* chip : studio.window->palette_panel().chips()) {
      if (chip->number() == 0 || !chip->choice() || !chip->isEnabled()) continue;
      view.setCurrentIndex(map.index_of(studio.tensor("blk.0.ffn_gate.weight")));
      QTest::keyClick(&view, static_cast<Qt::Key>(Qt::Key_0 + chip->number()));
      QTRY_COMPARE(studio.format("blk.0.ffn_gate.weight"), views::choice_name(chip->choice()));
    }
    // Shift + arrows extend, the key then sets both; Delete gives them back.
    view.setCurrentIndex(map.index_of(studio.tensor("blk.0.ffn_gate.weight")));
    QTest::keyClick(&view, Qt::Key_Down, Qt::ShiftModifier);
    QCOMPARE(studio.document().selection().tensors().size(), 2U);
    QTest::keyClick(&view, Qt::Key_2);
    QTRY_COMPARE(studio.format("blk.1.ffn_gate.weight"), studio.format("blk.0.ffn_gate.weight"));
    QVERIFY(studio.format("blk.1.ffn_gate.weight") != "F32");
    QTest::keyClick(&view, Qt::Key_Delete);
    QTRY_COMPARE(studio.format("blk.1.ffn_gate.weight"), std::string("F32"));
  }

  void a_click_on_a_column_heading_takes_the_layers_alone() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    QHeaderView& columns = *view.horizontalHeader();
    QTest::mouseClick(columns.viewport(), Qt::LeftButton, {},
                      QPoint(columns.sectionViewportPosition(0) + 8, columns.height() / 2));
    QCOMPARE(studio.document().selection().tensors(),
             (std::vector<std::size_t>{studio.tensor("blk.0.attn_q.weight"),
                                       studio.tensor("blk.1.attn_q.weight")}));
  }

  void a_rubber_band_selects_what_it_covers() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::MapView& view = studio.window->map_panel().view();
    const views::MapModel& map = studio.window->map_panel().map();
    const QPoint from = view.visualRect(map.index_of(studio.tensor("blk.0.attn_q.weight"))).center();
    const QPoint to = view.visualRect(map.index_of(studio.tensor("blk.1.attn_v.weight"))).center();
    QTest::mousePress(view.viewport(), Qt::LeftButton, {}, from);
    QMouseEvent move(QEvent::MouseMove, to, view.viewport()->mapToGlobal(to), Qt::NoButton, Qt::LeftButton,
                     {});
    QCoreApplication::sendEvent(view.viewport(), &move);
    QTest::mouseRelease(view.viewport(), Qt::LeftButton, {}, to);
    QCOMPARE(studio.document().selection().tensors().size(), 6U);
  }

  void what_cannot_take_the_chip_is_left_out_with_a_message() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.odd_model()));
    views::MapView& view = studio.window->map_panel().view();
    const views::MapModel& map = studio.window->map_panel().map();
    const QModelIndex down = map.index_of(studio.tensor("blk.0.ffn_down.weight"));
    (void)test::drop_chip(*view.viewport(), view.visualRect(down).center(), Format::Q4_0, false);
    QVERIFY(!down.data(views::MapModel::FitsRole).toBool());
    QVERIFY(map.index_of(studio.tensor("blk.0.ffn_up.weight")).data(views::MapModel::FitsRole).toBool());
    studio.document().assign({studio.tensor("blk.0.ffn_down.weight"), studio.tensor("blk.0.ffn_up.weight")},
                             Format::Q4_0);
    QTRY_COMPARE(studio.format("blk.0.ffn_up.weight"), std::string("Q4_0"));
    QCOMPARE(studio.format("blk.0.ffn_down.weight"), std::string("F32"));
    const QString message = studio.window->message_bar().text();
    QVERIFY2(message.contains(QStringLiteral("60")) && message.contains(QStringLiteral("16 would fit")),
             qPrintable(message));
  }

  void undo_and_redo_carry_names_and_restore_exactly() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    views::Document& document = studio.document();
    std::vector<quantize::Recipe> states{document.recipe()};
    document.assign({studio.tensor("output.weight")}, Format::Q8_0);
    states.push_back(document.recipe());
    document.assign({studio.tensor("blk.0.attn_q.weight"), studio.tensor("blk.1.attn_q.weight")},
                    Format::Q4_0);
    states.push_back(document.recipe());
    quantize::Recipe preset;
    preset.fallback = Format::F16;
    document.replace_recipe(preset, QStringLiteral("Preset: all F16"));
    states.push_back(document.recipe());
    QUndoStack& undo = document.undo_stack();
    QCOMPARE(undo.text(0), QStringLiteral("Set Q8_0 on 1 tensor"));
    QCOMPARE(undo.text(1), QStringLiteral("Set Q4_0 on 2 tensors"));
    QCOMPARE(undo.text(2), QStringLiteral("Preset: all F16"));
    for (int i = 2; i >= 0; --i) {
      undo.undo();
      QVERIFY(document.recipe().rules == states[static_cast<std::size_t>(i)].rules);
      QVERIFY(document.recipe().fallback == states[static_cast<std::size_t>(i)].fallback);
    }
    for (int i = 1; i <= 3; ++i) {
      undo.redo();
      QVERIFY(document.recipe().rules == states[static_cast<std::size_t>(i)].rules);
    }
    QVERIFY(studio.window->action("undo")->text().contains(QStringLiteral("Preset: all F16")));
  }

  void assigning_nothing_new_makes_no_step() {
    test::Studio studio;
    QVERIFY(studio.open(folder_.small_model()));
    studio.document().assign({studio.tensor("output.weight")}, quantize::FormatChoice());
    studio.document().assign({}, Format::Q4_0);
    QCOMPARE(studio.document().undo_stack().count(), 0);
  }

 private:
  test::ModelFolder folder_;
};

QTEST_MAIN(EditingTest)
#include "tst_editing.moc"
