// Perplexity and divergence of tiny models against the plain forward pass in double, and what must be exactly
// so.
#include <QTemporaryDir>
#include <QtTest>

#include "core/evaluate/perplexity.h"
#include "kernels/dense/instruction_set.h"
#include "tests/unit/run/tiny_llama.h"

using namespace bitlens;
using evaluate::Activations;
using evaluate::Measurement;
using evaluate::Options;
using testing::TinyLlama;

namespace {

evaluate::Windows windows_of(const std::vector<std::vector<std::int32_t>>& inputs) {
  evaluate::Windows windows;
  windows.context = static_cast<std::uint32_t>(inputs[0].size());
  windows.first_scored = windows.context / 2;
  windows.last_scored = windows.context - 2;
  windows.inputs = inputs;
  for (const auto& input : inputs) windows.targets.emplace_back(input.begin() + 1, input.end());
  return windows;
}

/// ln softmax(logits) in double.
std::vector<double> log_probabilities(std::vector<double> logits) {
  double largest = -1e300, sum = 0.0;
  for (const double logit : logits) largest = std::max(largest, logit);
  for (const double logit : logits) sum += std::exp(logit - largest);
  for (double& logit : logits) logit -= largest + std::log(sum);
  return logits;
}

TinyLlama wide() {
  TinyLlama tiny;
  tiny.width = 64;
  tiny.head_dim = 16;
  tiny.rope_dimensions = 16;
  tiny.ffn = 96;
  return tiny;
}

std::unique_ptr<run::WeightSource> view(const std::shared_ptr<const model::Model>& model, const char* pattern,
                                        kernels::Format format) {
  quantize::Recipe recipe;
  recipe.rules.push_back({pattern, format, std::nullopt});
  auto resolved = quantize::resolve(recipe, model->file(), kernels::Quantizer::Rtn);
  return resolved ? run::recipe_weights(model, *resolved) : nullptr;
}

bool same(const Measurement& a, const Measurement& b) {
  return a.token_nll == b.token_nll && a.token_kl == b.token_kl && a.perplexity.ppl == b.perplexity.ppl &&
         a.comparison.has_value() == b.comparison.has_value() &&
         (!a.comparison || (a.comparison->kl_mean == b.comparison->kl_mean &&
                            a.comparison->ln_ratio == b.comparison->ln_ratio));
}

}  // namespace

class MeasureTest : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  std::string path(const char* name) { return folder_.filePath(QLatin1String(name)).toStdString(); }

 private slots:
  void matches_double_data() {
    QTest::addColumn<bool>("tiles");
    QTest::newRow("vectors") << false;
    QTest::newRow("tiles, if there are") << true;
  }
  void matches_double() {
    QFETCH(bool, tiles);
    kernels::allow_tiles(tiles);
    const double slack = tiles ? 20 : 1;  // tiles keep 16 bits of every number
    TinyLlama subject = wide().draw(1), base = wide().draw(1);
    for (float& value : subject.tensors["blk.1.ffn_up.weight"]) value *= 1.1F;
    const auto subject_model = subject.open(path("subject.gguf")), base_model = base.open(path("base.gguf"));
    QVERIFY(subject_model != nullptr && base_model != nullptr);
    const auto inputs = testing::random_windows(4, 30, subject.vocabulary);
    ThreadPool pool(2);
    const auto subject_view = run::file_weights(subject_model), base_view = run::file_weights(base_model);
    const auto measured =
        evaluate::measure(*subject_view, base_view.get(), windows_of(inputs), Options{}, WorkContext{pool});
    QVERIFY2(measured, measured ? "" : measured.error().describe().c_str());

    double nll = 0.0, base_nll = 0.0, kl = 0.0, agreed = 0.0;
    std::size_t count = 0;
    for (const auto& window : inputs) {
      const auto ours = subject.logits(window), theirs = base.logits(window);
      for (std::size_t p = 15; p <= 28; ++p, ++count) {
        const auto q = log_probabilities(ours[p]), b = log_probabilities(theirs[p]);
        const auto target = static_cast<std::size_t>(window[p + 1]);
        nll -= q[target];
        base_nll -= b[target];
        double token_kl = 0.0;
        for (std::size_t i = 0; i < q.size(); ++i) token_kl += std::exp(b[i]) * (b[i] - q[i]);
        QVERIFY(std::fabs(static_cast<double>(measured->token_kl[count]) - token_kl) <
                slack * (1e-6 + 1e-4 * token_kl));
        kl += token_kl;
        agreed += std::max_element(q.begin(), q.end()) - q.begin() ==
                  std::max_element(b.begin(), b.end()) - b.begin();
      }
    }
    const auto n = static_cast<double>(count);
    QCOMPARE(measured->perplexity.scored_tokens, std::uint64_t{count});
    QVERIFY(std::fabs(measured->perplexity.nll_mean - nll / n) < slack * 1e-6);
    QVERIFY(std::fabs(measured->comparison->base.nll_mean - base_nll / n) < slack * 1e-6);
    QVERIFY(std::fabs(measured->comparison->kl_mean - kl / n) < slack * 1e-5 * kl / n);
    QVERIFY(std::fabs(measured->comparison->ln_ratio - (nll - base_nll) / n) < slack * 1e-6);
    QCOMPARE(measured->comparison->top1_agreement, agreed / n);
  }

  void fast_products_say_how_far_off_they_are() {
    const auto model = wide().draw().open(path("tiny.gguf"));
    const auto view = run::file_weights(model);
    const auto inputs = testing::random_windows(3, 30, wide().vocabulary);
    ThreadPool pool(2);
    for (const Activations activations : {Activations::Exact, Activations::Q8}) {
      Options options;
      options.activations = activations;
      const auto exact = evaluate::measure(*view, nullptr, windows_of(inputs), options, WorkContext{pool});
      options.compute = evaluate::Compute::Fast;
      const auto fast = evaluate::measure(*view, nullptr, windows_of(inputs), options, WorkContext{pool});
      QVERIFY(exact && fast);
      QVERIFY(!exact->deviation && fast->deviation);
      QVERIFY(exact->compute == evaluate::Compute::Exact && fast->compute == evaluate::Compute::Fast);
      QCOMPARE(fast->deviation->windows, std::uint64_t{1});
      const std::size_t count = fast->deviation->scored_tokens;
      QCOMPARE(count, std::size_t{14});
      double difference = 0.0, largest = 0.0;
      for (std::size_t i = 0; i < count; ++i) {
        const double one = static_cast<double>(fast->token_nll[i]) - static_cast<double>(exact->token_nll[i]);
        difference += one / static_cast<double>(count);
        largest = std::max(largest, std::fabs(one));
      }
      QVERIFY(largest > 1e-5 && largest < 0.3);  // bf16 was used, and no more was lost than it loses
      QVERIFY(std::fabs(fast->deviation->ln_ratio - difference) < 1e-6);
      QVERIFY(fast->deviation->ln_ratio_se > 0 && fast->deviation->kl_mean > 0);
    }
  }

  void fast_products_change_no_comparison_of_equals() {
    const auto model = wide().draw().open(path("tiny.gguf"));
    const auto one = run::file_weights(model), other = run::file_weights(model);
    ThreadPool pool(2);
    Options options;
    options.compute = evaluate::Compute::Fast;
    const auto windows = windows_of(testing::random_windows(2, 20, wide().vocabulary));
    const auto measured = evaluate::measure(*one, other.get(), windows, options, WorkContext{pool});
    QVERIFY(measured);
    QCOMPARE(measured->comparison->kl_mean, 0.0);
    ThreadPool single(1);
    const auto again = evaluate::measure(*one, other.get(), windows, options, WorkContext{single});
    QVERIFY(again && same(*measured, *again));
    QCOMPARE(again->deviation->kl_mean, measured->deviation->kl_mean);
  }

  void identical_views_diverge_by_exactly_nothing() {
    const auto model = wide().draw().open(path("tiny.gguf"));
    const auto copy = wide().draw().open(path("copy.gguf"));
    QVERIFY(model != nullptr && copy != nullptr);
    const auto windows = windows_of(testing::random_windows(3, 40, 53));
    ThreadPool pool(2);
    const auto a = run::file_weights(model), b = run::file_weights(model), other = run::file_weights(copy);
    const auto untouched = view(model, "no such tensor", kernels::Format::Q4_0);
    QVERIFY(untouched != nullptr);
    for (const run::WeightSource* base : {b.get(), untouched.get(), other.get()}) {
      const auto measured = evaluate::measure(*a, base, windows, Options{}, WorkContext{pool});
      QVERIFY(measured);
      QCOMPARE(measured->comparison->kl_mean, 0.0);
      QCOMPARE(measured->comparison->kl_max, 0.0);
      QCOMPARE(measured->comparison->ln_ratio, 0.0);
      QCOMPARE(measured->comparison->top1_agreement, 1.0);
      QCOMPARE(measured->comparison->delta_p_rms, 0.0);
    }
  }

  /// Wherever the two part (embedding, a layer, the head), the shared way gives what two separate runs give.
  void sharing_changes_nothing_data() {
    QTest::addColumn<QString>("pattern");
    QTest::addColumn<bool>("tied");
    for (const char* pattern : {"token_embd.weight", "blk.0.attn_q.weight", "blk.1.ffn_down.weight",
                                "output.weight", "output_norm.weight", "*", "blk.*.attn_?.weight"})
      QTest::newRow(pattern) << pattern << false;
    QTest::newRow("tied embedding") << "token_embd.weight" << true;
  }
  void sharing_changes_nothing() {
    QFETCH(QString, pattern);
    QFETCH(bool, tied);
    TinyLlama tiny = wide();
    tiny.tied = tied;
    tiny.draw();
    const auto model = tiny.open(path("tiny.gguf")), copy = tiny.open(path("copy.gguf"));
    QVERIFY(model != nullptr && copy != nullptr);
    const auto windows = windows_of(testing::random_windows(3, 40, 53));
    ThreadPool pool(2);
    const WorkContext work{pool};
    const auto base = run::file_weights(model), unrelated = run::file_weights(copy);
    const auto subject = view(model, pattern.toUtf8().constData(), kernels::Format::Q4_0);
    QVERIFY(subject != nullptr);
    for (const Activations activations : {Activations::Exact, Activations::Q8}) {
      Options options;
      options.activations = activations;
      const auto shared = evaluate::measure(*subject, base.get(), windows, options, work);
      const auto separate = evaluate::measure(*subject, unrelated.get(), windows, options, work);
      const auto alone = evaluate::measure(*subject, nullptr, windows, options, work);
      const auto base_alone = evaluate::measure(*base, nullptr, windows, Options{}, work);
      QVERIFY(shared && separate && alone && base_alone);
      QVERIFY(same(*shared, *separate));
      QVERIFY(shared->token_nll == alone->token_nll);
      QCOMPARE(shared->comparison->base.ppl, base_alone->perplexity.ppl);
      QVERIFY(shared->comparison->kl_mean > 0.0);
      options.memory_budget = 1;  // one window at a time
      const auto grouped = evaluate::measure(*subject, base.get(), windows, options, work);
      QVERIFY(grouped && same(*shared, *grouped));
      for (const int threads : {1, 3, 5}) {
        ThreadPool other(threads);
        const auto again = evaluate::measure(*subject, base.get(), windows, options, WorkContext{other});
        QVERIFY(again && same(*shared, *again));
      }
    }
  }

  void rounded_activations_cost_something() {
    const auto model = wide().draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    const auto windows = windows_of(testing::random_windows(3, 40, 53));
    ThreadPool pool(2);
    const auto base = run::file_weights(model),
               subject = view(model, "blk.*.ffn_up.weight", kernels::Format::Q8_0);
    Options exact, q8;
    q8.activations = Activations::Q8;
    const auto plain = evaluate::measure(*subject, base.get(), windows, exact, WorkContext{pool});
    const auto rounded = evaluate::measure(*subject, base.get(), windows, q8, WorkContext{pool});
    QVERIFY(plain && rounded);
    QVERIFY(rounded->comparison->kl_mean > plain->comparison->kl_mean);
    QCOMPARE(rounded->comparison->base.ppl, plain->comparison->base.ppl);  // the base stays exact
  }

  void refuses_what_cannot_be_compared() {
    TinyLlama small = wide(), large = wide();
    large.vocabulary = 60;
    const auto a = small.draw().open(path("a.gguf")), b = large.draw().open(path("b.gguf"));
    QVERIFY(a != nullptr && b != nullptr);
    ThreadPool pool(1);
    const auto first = run::file_weights(a), second = run::file_weights(b);
    auto windows = windows_of(testing::random_windows(2, 16, 53));
    const auto mixed = evaluate::measure(*first, second.get(), windows, Options{}, WorkContext{pool});
    QVERIFY(!mixed);
    QCOMPARE(mixed.error().message, std::string("vocabularies of 53 and 60 tokens cannot be compared"));
    windows.targets[1][10] = 53;
    QCOMPARE(evaluate::measure(*first, nullptr, windows, Options{}, WorkContext{pool}).error().code,
             ErrorCode::InvalidArgument);
    QVERIFY(!evaluate::measure(*first, nullptr, evaluate::Windows{}, Options{}, WorkContext{pool}));
  }

  void not_a_number_names_the_place() {
    TinyLlama tiny = wide();
    tiny.draw();
    for (float& value : tiny.tensors["output.weight"]) value = 3e38F;
    const auto model = tiny.open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    ThreadPool pool(2);
    const auto source = run::file_weights(model);
    const auto measured = evaluate::measure(*source, nullptr, windows_of(testing::random_windows(2, 16, 53)),
                                            Options{}, WorkContext{pool});
    QVERIFY(!measured);
    QCOMPARE(measured.error().code, ErrorCode::Numeric);
    QCOMPARE(measured.error().where.object, std::string("output.weight"));
  }

  void progress_is_monotone_and_ends() {
    const auto model = wide().draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    ThreadPool pool(2);
    const auto base = run::file_weights(model), subject = view(model, "blk.1.*", kernels::Format::Q8_0);
    std::vector<Progress> seen;
    Options options;
    options.memory_budget = 40000;
    const auto measured =
        evaluate::measure(*subject, base.get(), windows_of(testing::random_windows(5, 40, 53)), options,
                          WorkContext{pool, {}, [&](const Progress& progress) { seen.push_back(progress); }});
    QVERIFY(measured);
    QVERIFY(seen.size() > 5);
    for (std::size_t i = 1; i < seen.size(); ++i) QVERIFY(seen[i].done >= seen[i - 1].done);
    for (const Progress& progress : seen) QVERIFY(progress.done <= progress.total);
    QCOMPARE(seen.back().done, seen.back().total);
    QCOMPARE(seen.back().stage, std::string("forward"));
  }

  void stops_when_asked() {
    const auto model = wide().draw().open(path("tiny.gguf"));
    QVERIFY(model != nullptr);
    ThreadPool pool(2);
    std::stop_source stop;
    const WorkContext work{pool, stop.get_token(), [&](const Progress& progress) {
                             if (progress.done > 0) stop.request_stop();
                           }};
    const auto source = run::file_weights(model);
    const auto measured =
        evaluate::measure(*source, nullptr, windows_of(testing::random_windows(2, 16, 53)), Options{}, work);
    QVERIFY(!measured);
    QCOMPARE(measured.error().code, ErrorCode::Cancelled);
  }
};

QTEST_APPLESS_MAIN(MeasureTest)
#include "tst_measure.moc"
