// Measured cells against the naive way: the whole model with the one tensor changed, from scratch.
#include <fmt/format.h>

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <map>
#include <random>

#include "core/sensitivity/changes.h"
#include "core/sensitivity/costs.h"
#include "tests/support/measured_cells.h"
#include "tests/unit/sensitivity/small_setting.h"

using namespace bitlens;
using sensitivity::Cell;
using sensitivity::CellMeasurer;
using sensitivity::Grouping;
using sensitivity::MeasuredCell;

namespace {

bool close(double a, double b, double relative) {
  return std::abs(a - b) <= relative * std::max(std::abs(a), std::abs(b)) + 1e-300;
}

}  // namespace

class MeasuredTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  ThreadPool pool_{2};
  WorkContext work_{pool_};

  std::shared_ptr<const model::Model> model(const testing::TinyLlama& shape = test::small_llama()) {
    return test::draw_and_open(shape, folder_.filePath("m.gguf").toStdString());
  }
  std::vector<MeasuredCell> sweep(const std::shared_ptr<const model::Model>& model,
                                  const evaluate::Windows& windows, const std::vector<Cell>& cells,
                                  const sensitivity::MeasureOptions& options, ThreadPool& pool,
                                  bool* spilled = nullptr) {
    auto out = test::measure_cells(model, windows, cells, options, WorkContext{pool}, spilled);
    if (!out) qWarning("%s", out.error().describe().c_str());
    return out ? *out : std::vector<MeasuredCell>{};
  }
  void compare_with_naive(const testing::TinyLlama& shape, Grouping grouping,
                          evaluate::Activations activations) {
    const auto m = model(shape);
    QVERIFY(m);
    const auto windows = test::small_windows(40, 5);
    const auto plan = sensitivity::plan_cells(*m, "*", {kernels::Format::Q4_0, kernels::Format::Q8_0},
                                              kernels::Quantizer::Rtn, grouping);
    QVERIFY(plan);
    QVERIFY(plan->cells.size() >= 2);
    sensitivity::MeasureOptions options;
    options.activations = activations;
    const auto cells = sweep(m, windows, plan->cells, options, pool_);
    QCOMPARE(cells.size(), plan->cells.size());
    const auto base = run::file_weights(m);
    evaluate::Options naive_options;
    naive_options.activations = activations;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto subject = sensitivity::cell_weights(m, plan->cells[c]);
      QVERIFY(subject);
      const auto naive = evaluate::measure(**subject, base.get(), windows, naive_options, work_);
      QVERIFY2(naive, naive ? "" : naive.error().describe().c_str());
      const QByteArray name = QByteArray::fromStdString(plan->cells[c].name);
      QVERIFY2(cells[c].kl_mean > 0, name.constData());
      QVERIFY2(close(cells[c].kl_mean, naive->comparison->kl_mean, 1e-6), name.constData());
      QVERIFY2(close(cells[c].kl_se, naive->comparison->kl_se, 1e-6), name.constData());
      QVERIFY2(close(cells[c].dnll_mean, naive->comparison->ln_ratio, 1e-6), name.constData());
      QVERIFY2(close(cells[c].dnll_se, naive->comparison->ln_ratio_se, 1e-6), name.constData());
      QCOMPARE(cells[c].top1_agreement, naive->comparison->top1_agreement);
      QCOMPARE(cells[c].window_kl.size(), windows.inputs.size());
    }
  }

 private slots:
  void equals_naive_evaluation_data() {
    QTest::addColumn<bool>("tied");
    QTest::addColumn<bool>("bias");
    QTest::addColumn<int>("grouping");
    QTest::addColumn<bool>("q8");
    QTest::newRow("tensors") << false << false << 0 << false;
    QTest::newRow("tensors, tied output, biases") << true << true << 0 << false;
    QTest::newRow("tensors, rounded activations") << false << true << 0 << true;
    QTest::newRow("fused groups") << false << false << 1 << false;
    QTest::newRow("module kinds") << false << true << 2 << true;
    QTest::newRow("layers") << false << false << 3 << false;
    QTest::newRow("everything") << false << false << 4 << true;
  }
  void equals_naive_evaluation() {
    QFETCH(bool, tied);
    QFETCH(bool, bias);
    QFETCH(int, grouping);
    QFETCH(bool, q8);
    testing::TinyLlama shape = test::small_llama();
    shape.tied = tied;
    shape.biases = bias;
    compare_with_naive(shape, static_cast<Grouping>(grouping),
                       q8 ? evaluate::Activations::Q8 : evaluate::Activations::Exact);
  }

  // A recipe as an export resolves it, with an importance matrix, and the same tensors as a cell.
  void cells_round_by_an_importance_matrix_as_recipes_do_data() {
    QTest::addColumn<int>("grouping");
    QTest::newRow("tensors") << 0;
    QTest::newRow("layers") << 3;
  }
  void cells_round_by_an_importance_matrix_as_recipes_do() {
    QFETCH(int, grouping);
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 3);
    quantize::Importance matrix;
    std::mt19937 random(3);
    std::lognormal_distribution<float> energy(0.0F, 2.0F);
    for (const io::TensorInfo& tensor : m->file().tensors()) {
      auto& columns = matrix.columns.emplace_back();
      if (tensor.name == "blk.1.attn_q.weight") continue;  // not covered
      columns.resize(tensor.row_length());
      for (float& value : columns) value = energy(random);
    }
    const auto importance = std::make_shared<const quantize::Importance>(std::move(matrix));
    const auto plan_of = [&](const quantize::ImportancePtr& with) {
      return sensitivity::plan_cells(*m, "blk.1.*", {kernels::Format::Q4_0, kernels::Format::Q5_1},
                                     kernels::Quantizer::Search, static_cast<Grouping>(grouping), with);
    };
    const auto plan = plan_of(importance), blind = plan_of({});
    QVERIFY(plan && blind);
    const auto weighed = sweep(m, windows, plan->cells, {}, pool_);
    const auto not_weighed = sweep(m, windows, blind->cells, {}, pool_);
    QCOMPARE(weighed.size(), grouping == 0 ? std::size_t{14} : std::size_t{2});
    const auto base = run::file_weights(m);
    for (std::size_t c = 0; c < weighed.size(); ++c) {
      const Cell& cell = plan->cells[c];
      quantize::Recipe recipe;
      for (const std::size_t t : cell.tensors)
        recipe.rules.push_back({m->file().tensors()[t].name, cell.format, {}});
      auto resolved = quantize::resolve(recipe, m->file(), kernels::Quantizer::Search, importance);
      QVERIFY2(resolved, resolved ? "" : resolved.error().describe().c_str());
      const auto subject = run::recipe_weights(m, *resolved);
      const auto naive = evaluate::measure(*subject, base.get(), windows, {}, work_);
      QVERIFY2(naive, naive ? "" : naive.error().describe().c_str());
      QVERIFY2(close(weighed[c].kl_mean, naive->comparison->kl_mean, 1e-6), cell.name.c_str());
      QVERIFY2(close(weighed[c].dnll_mean, naive->comparison->ln_ratio, 1e-6), cell.name.c_str());
      QCOMPARE(weighed[c].kl_mean == not_weighed[c].kl_mean, cell.name == "blk.1.attn_q.weight");
      // Predictions are of the same change.
      if (cell.tensors.size() > 1) continue;
      const std::size_t t = cell.tensors.front();
      const auto changes = sensitivity::distinct_changes(std::span(&cell, 1));
      const auto reader = sensitivity::ChangeReader::create(m, changes.front());
      QVERIFY(reader);
      std::vector<float> row(m->file().tensors()[t].row_length()), from(row.size()), to(row.size());
      QVERIFY(reader->rows(5, 1, row.data()));
      QVERIFY(base->load_rows(t, 5, 1, from.data()) && subject->load_rows(t, 5, 1, to.data()));
      for (std::size_t i = 0; i < row.size(); ++i) QCOMPARE(row[i], to[i] - from[i]);
    }
  }

  void control_reads_exactly_zero() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 3);
    for (const auto activations : {evaluate::Activations::Exact, evaluate::Activations::Q8}) {
      sensitivity::MeasureOptions options;
      options.activations = activations;
      const auto cells = sweep(
          m, windows, {Cell{"control", kernels::Format::F32, kernels::Quantizer::Rtn, {}}}, options, pool_);
      QCOMPARE(cells.size(), std::size_t{1});
      QCOMPARE(cells[0].kl_mean, 0.0);
      QCOMPARE(cells[0].kl_max, 0.0);
      QCOMPARE(cells[0].dnll_mean, 0.0);
      QCOMPARE(cells[0].dnll_se, 0.0);
      QCOMPARE(cells[0].top1_agreement, 1.0);
    }
  }

  // The same bits whatever the threads, the order of the cells, the batches and the memory.
  void same_bits_under_all_circumstances() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(56, 6);
    auto plan = sensitivity::plan_cells(*m, "*", {kernels::Format::Q4_0, kernels::Format::Q5_1},
                                        kernels::Quantizer::Rtn);
    QVERIFY(plan);
    const auto reference = sweep(m, windows, plan->cells, {}, pool_);
    QCOMPARE(reference.size(), plan->cells.size());
    std::vector<Cell> backwards(plan->cells.rbegin(), plan->cells.rend());
    sensitivity::MeasureOptions small;
    small.memory_budget = 200 * 1024;
    small.spill_folder = folder_.path().toStdString();
    small.batch_seconds = 0;
    sensitivity::MeasureOptions wide;
    wide.batch_seconds = 1000;
    ThreadPool one(1), three(3);
    bool spilled = false;
    const std::vector<std::vector<MeasuredCell>> others = {sweep(m, windows, backwards, {}, pool_),
                                                           sweep(m, windows, backwards, small, one, &spilled),
                                                           sweep(m, windows, backwards, wide, three)};
    QVERIFY(spilled);
    QCOMPARE(QDir(folder_.path()).entryList(QDir::Files), QStringList{"m.gguf"});
    for (const auto& other : others) {
      QCOMPARE(other.size(), reference.size());
      for (std::size_t c = 0; c < reference.size(); ++c) {
        const MeasuredCell &a = reference[c], &b = other[other.size() - 1 - c];
        QCOMPARE(a.kl_mean, b.kl_mean);
        QCOMPARE(a.kl_se, b.kl_se);
        QCOMPARE(a.dnll_mean, b.dnll_mean);
        QCOMPARE(a.window_kl, b.window_kl);
      }
    }
  }

  void lists_what_cannot_be() {
    testing::TinyLlama shape = test::small_llama();
    shape.ffn = 100;  // not a whole number of blocks
    const auto m = model(shape);
    QVERIFY(m);
    const auto plan = sensitivity::plan_cells(*m, "blk.1.*", {kernels::Format::Q4_0, kernels::Format::F32},
                                              kernels::Quantizer::Rtn);
    QVERIFY(plan);
    std::map<std::string, std::string> skipped;
    for (const auto& cell : plan->skipped)
      skipped[cell.name + " " + std::string(kernels::info(cell.format).name)] = cell.reason;
    QVERIFY(skipped.contains("blk.1.ffn_down.weight Q4_0"));
    QVERIFY(skipped.at("blk.1.ffn_down.weight Q4_0").find("100") != std::string::npos);
    QVERIFY(skipped.contains("blk.1.attn_q.weight F32"));  // it is F32 already
    QCOMPARE(skipped.size(), std::size_t{8});
    QCOMPARE(plan->cells.size(), std::size_t{6});
    const auto layers =
        sensitivity::plan_cells(*m, "*", {kernels::Format::Q4_0}, kernels::Quantizer::Rtn, Grouping::Layer);
    QVERIFY(layers);
    QCOMPARE(layers->cells.size(), std::size_t{2});  // embedding and output
    QCOMPARE(layers->skipped.size(), std::size_t{3});
    QVERIFY(!sensitivity::plan_cells(*m, "nothing*", {kernels::Format::Q4_0}, kernels::Quantizer::Rtn));
  }

  void stops_when_asked_and_when_the_caller_fails() {
    const auto m = model();
    QVERIFY(m);
    const auto plan = sensitivity::plan_cells(*m, "*", {kernels::Format::Q4_0}, kernels::Quantizer::Rtn);
    QVERIFY(plan);
    auto measurer = CellMeasurer::create(m, test::small_windows(40, 2), {});
    QVERIFY(measurer);
    std::stop_source stop;
    const WorkContext stoppable{pool_, stop.get_token()};
    std::size_t seen = 0;
    auto status = (*measurer)->measure(
        plan->cells,
        [&](std::size_t, const MeasuredCell&) -> Status {
          if (++seen == 2) stop.request_stop();
          return {};
        },
        stoppable);
    QVERIFY(!status);
    QVERIFY(status.error().code == ErrorCode::Cancelled);
    QVERIFY(seen < plan->cells.size());
    status = (*measurer)->measure(
        plan->cells,
        [&](std::size_t, const MeasuredCell&) -> Status { return fail(ErrorCode::OutOfSpace, "full"); },
        work_);
    QVERIFY(!status);
    QVERIFY(status.error().code == ErrorCode::OutOfSpace);
  }

  // All that is told as coming is told as done, no sooner than it is.
  void progress_ends_with_the_last_cell() {
    const auto m = model();
    QVERIFY(m);
    const auto plan = sensitivity::plan_cells(*m, "*", {kernels::Format::Q4_0}, kernels::Quantizer::Rtn);
    QVERIFY(plan);
    const auto windows = test::small_windows(40, 500);  // three batches
    double share = 0;
    std::uint64_t reports = 0;
    const WorkContext work{pool_, {}, [&](const Progress& progress) {
                             QCOMPARE(progress.stage, std::string("measure"));
                             const double now =
                                 static_cast<double>(progress.done) / static_cast<double>(progress.total);
                             QVERIFY(now >= share);
                             share = now;
                             ++reports;
                           }};
    for (const bool adaptive : {false, true}) {
      share = 0;
      double before = 0;  // when the last cell but one was done
      sensitivity::MeasureOptions options;
      if (adaptive)
        options.enough = [](std::size_t, const MeasuredCell& cell) { return cell.scored_tokens > 4000; };
      options.batch_seconds = 0;  // a cell at a time
      auto measurer = CellMeasurer::create(m, windows, options);
      QVERIFY(measurer);
      const auto status = (*measurer)->measure(
          plan->cells,
          [&](std::size_t index, const MeasuredCell&) -> Status {
            if (index + 2 == plan->cells.size()) before = share;
            return {};
          },
          work);
      QVERIFY2(status, status ? "" : status.error().describe().c_str());
      QVERIFY2(before > 0.5 && before < 0.999, qPrintable(QString::number(before)));
      QVERIFY2(std::abs(share - 1) < 1e-5, qPrintable(QString::number(share)));
    }
    QVERIFY(reports > 2 * plan->cells.size());
  }

  // The part of a block that is left behind each matrix, by its products: they are most of these costs.
  void costs_follow_the_products() {
    testing::TinyLlama shape = test::small_llama();
    shape.width = 1024;
    shape.heads = shape.kv_heads = 16;
    shape.head_dim = shape.rope_dimensions = 64;
    shape.ffn = 4096;
    const auto m = model(shape);
    QVERIFY(m);
    const sensitivity::Costs costs(*m->llama(), test::small_windows(8, 1));
    const auto enter = [&](const char* name) {
      const auto tensor = m->file().find_tensor(name);
      return costs.enter(*m, Cell{name, kernels::Format::Q4_0, kernels::Quantizer::Rtn, {*tensor}});
    };
    const double w = 1024.0 * 1024, f = 4096.0 * 1024;
    const auto near = [](double value, double expected) { return std::abs(value / expected - 1) < 0.15; };
    QVERIFY(near(costs.block(), 4 * w + 3 * f));
    QVERIFY(near(enter("blk.0.attn_q.weight"), 2 * w + 3 * f));
    QVERIFY(near(enter("blk.0.attn_v.weight"), 2 * w + 3 * f));
    QVERIFY(near(enter("blk.0.attn_output.weight"), w + 3 * f));
    QVERIFY(near(enter("blk.1.ffn_up.weight"), 2 * f));
    QVERIFY(near(enter("blk.1.ffn_down.weight"), f));
    // In the last block the scored positions alone, 3 of 8.
    QVERIFY(near(enter("blk.2.ffn_down.weight"), f * 3 / 8));
    QVERIFY(near(costs.back(), costs.block()));
  }

  // The first cell is told of after the first windows, with an error bar, and ends the same.
  void a_first_cell_appears_before_all_windows_are_run() {
    const auto m = model();
    QVERIFY(m);
    const auto windows = test::small_windows(40, 500);
    const auto plan = sensitivity::plan_cells(*m, "blk.*", {kernels::Format::Q4_0}, kernels::Quantizer::Rtn);
    QVERIFY(plan);
    double share = 0, first_share = 1;
    const WorkContext work{pool_, {}, [&](const Progress& progress) {
                             share = static_cast<double>(progress.done) / static_cast<double>(progress.total);
                           }};
    std::vector<MeasuredCell> early(plan->cells.size()), late(plan->cells.size());
    sensitivity::MeasureOptions options;
    options.so_far = [&](std::size_t index, const MeasuredCell& cell) -> Status {
      if (first_share == 1) first_share = share;
      early[index] = cell;
      return {};
    };
    auto measurer = CellMeasurer::create(m, windows, options);
    QVERIFY(measurer);
    QVERIFY((*measurer)->measure(
        plan->cells,
        [&](std::size_t index, const MeasuredCell& cell) -> Status {
          late[index] = cell;
          return {};
        },
        work));
    const std::size_t known = early[0].window_kl.size();
    QVERIFY(known >= 2 && known < 250);
    // Of the base some windows, of the cells one.
    QVERIFY2(first_share > 0 && first_share < 0.3, qPrintable(QString::number(first_share)));
    QVERIFY(early[0].kl_se > late[0].kl_se &&
            std::abs(early[0].kl_mean - late[0].kl_mean) < 5 * early[0].kl_se);
    QVERIFY(std::equal(early[0].window_kl.begin(), early[0].window_kl.end(), late[0].window_kl.begin()));
    const auto plain = sweep(m, windows, plan->cells, {}, pool_);
    for (std::size_t c = 0; c < plain.size(); ++c) {
      QCOMPARE(late[c].kl_mean, plain[c].kl_mean);
      QCOMPARE(late[c].kl_se, plain[c].kl_se);
      QCOMPARE(late[c].window_kl, plain[c].window_kl);
    }
  }
};

QTEST_APPLESS_MAIN(MeasuredTest)
#include "tst_measured.moc"
