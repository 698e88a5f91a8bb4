// What has been measured: every result is a row of the Compare table. Starts measurements and remembers how
// fast this machine is, for the estimate of the next one.
#pragma once

#include <QObject>
#include <QString>
#include <optional>
#include <vector>

#include "core/study/job_queue.h"
#include "views/document/snapshots.h"

namespace bitlens::views {

class Engine;

class Measurements : public QObject {
  Q_OBJECT
 public:
  Measurements(Engine& engine, QObject* parent);

  [[nodiscard]] const std::vector<study::MeasuredResult>& results() const { return results_; }
  void restore(std::vector<study::MeasuredResult> results);
  void remove(std::size_t index);
  void clear() { restore({}); }
  void add(study::MeasuredResult result);

  [[nodiscard]] const evaluate::Options& options() const { return options_; }
  void set_options(const evaluate::Options& options);
  [[nodiscard]] quantize::Quantizer quantizer() const { return quantizer_; }
  void set_quantizer(quantize::Quantizer quantizer);

  /// What searching encoders weigh columns by; null: nothing.
  [[nodiscard]] const quantize::ImportancePtr& importance() const { return importance_; }
  void set_importance(quantize::ImportancePtr importance);

  /// Measures `recipe` applied to the model; without one, the model as it is.
  void measure(SessionPtr session, std::optional<quantize::Recipe> recipe, TokensPtr text);
  /// Opens another file and measures it against `session` as the base.
  void compare_with(SessionPtr session, const QString& path, TokensPtr text);
  [[nodiscard]] bool measuring() const { return running_ != 0; }
  [[nodiscard]] study::JobId running_job() const { return running_; }

  /// The newest result of exactly this recipe (nullopt: the model as it is).
  [[nodiscard]] const study::MeasuredResult* find(const std::optional<quantize::Recipe>& recipe) const;
  /// The newest result of this model under any recipe: a file it was compared with does not count.
  [[nodiscard]] const study::MeasuredResult* latest() const;
  /// Windows a text of `tokens` gives under the options, and the seconds measuring them will take (0:
  /// unknown).
  [[nodiscard]] quint64 windows_of(quint64 tokens) const { return windows_of(options_, tokens); }
  [[nodiscard]] static quint64 windows_of(const evaluate::Options& options, quint64 tokens);
  /// Tokens per window, the protocol's default filled in.
  [[nodiscard]] static std::uint32_t context_of(const evaluate::Options& options);
  [[nodiscard]] double seconds_for(const study::ModelSession& session, quint64 windows, bool with_base) const;

 signals:
  void results_changed();
  void options_changed();
  void running_changed();
  void measured(int index);
  void failed(const bitlens::Error& error);

 private:
  void start(const QString& detail, const study::MeasureRequest& request, const QString& other_file);
  void finished(Result<study::MeasuredResult> result, const study::ModelSession& session);
  void set_running(study::JobId id);
  void add_base_row(const study::MeasuredResult& result, const study::ModelSession& base);
  [[nodiscard]] std::string unique_name(const study::MeasuredResult& result) const;

  Engine& engine_;
  std::vector<study::MeasuredResult> results_;
  evaluate::Options options_;
  quantize::Quantizer quantizer_ = quantize::Quantizer::Search;
  quantize::ImportancePtr importance_;
  study::JobId running_ = 0;
};

/// Same rules and default; the name does not matter.
[[nodiscard]] bool same_choices(const std::optional<quantize::Recipe>& a,
                                const std::optional<quantize::Recipe>& b);
/// Same text, protocol, windows, activations and products: only such rows may be compared with each other.
[[nodiscard]] bool comparable(const study::MeasuredResult& a, const study::MeasuredResult& b);

}  // namespace bitlens::views
