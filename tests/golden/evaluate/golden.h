// Measuring a shared model on a shared text, for comparison with what a reference implementation measured.
#pragma once

#include <QFile>
#include <QString>
#include <QtTest>
#include <nlohmann/json.hpp>

#include "core/evaluate/perplexity.h"

namespace bitlens::testing {

inline QString shared(const char* name) {
  return QStringLiteral(BITLENS_SHARED "/") + QLatin1String(name);
}

inline std::string content(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
}

/// Rows of `list` in a results file, by the format asked for and, if given, the kernels that computed them.
inline nlohmann::json row(const nlohmann::json& results, const char* list, const std::string& asked,
                          const char* kernels = nullptr) {
  for (const auto& entry : results.at(list))
    if (entry.at("asked") == asked && (kernels == nullptr || entry.at("kernels") == kernels)) return entry;
  return {};
}

struct Subject {
  std::shared_ptr<const model::Model> model;
  evaluate::Windows windows;
};

inline Result<Subject> prepare(const QString& model_path, const QString& text_path,
                               const evaluate::Options& options) {
  auto file = io::open_gguf(model_path.toStdString());
  if (!file) return pass(file);
  auto model = model::make_model(*file);
  if (!model) return pass(model);
  if (!(*model)->llama()) return pass((*model)->llama());
  auto tokenizer = tokenizer::make_tokenizer((*file)->metadata(), (*file)->path());
  if (!tokenizer) return pass(tokenizer);
  auto tokens = (*tokenizer)->encode(content(text_path));
  if (!tokens) return pass(tokens);
  std::vector<tokenizer::TokenId> text;
  text.reserve(tokens->size() + 1);
  if ((*tokenizer)->adds_bos() && (*tokenizer)->bos()) text.push_back(*(*tokenizer)->bos());
  text.insert(text.end(), tokens->begin(), tokens->end());
  auto windows = evaluate::make_windows(text, **tokenizer, options, (*model)->llama()->context);
  if (!windows) return pass(windows);
  return Subject{*model, std::move(*windows)};
}

/// The model as a recipe changes it, against the model as it is.
inline Result<evaluate::Measurement> compare(const Subject& subject, const quantize::Recipe& recipe,
                                             kernels::Quantizer quantizer, const evaluate::Options& options) {
  auto resolved = quantize::resolve(recipe, subject.model->file(), quantizer);
  if (!resolved) return pass(resolved);
  ThreadPool pool;
  const auto base = run::file_weights(subject.model);
  const auto changed = run::recipe_weights(subject.model, *resolved);
  return evaluate::measure(*changed, base.get(), subject.windows, options, WorkContext{pool});
}

}  // namespace bitlens::testing
