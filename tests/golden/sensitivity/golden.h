// Reading the reference's one-tensor measurements, and measuring the same cells.
#pragma once

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/atomic_file.h"
#include "core/evaluate/perplexity.h"
#include "core/io/model_file.h"
#include "core/model/model.h"
#include "core/sensitivity/cell.h"
#include "core/tokenizer/tokenizer.h"

namespace bitlens::test {

inline std::string shared(const char* path) {
  return std::string(BITLENS_SHARED) + "/" + path;
}
inline bool have_shared(const char* path) {
  return QFile::exists(QString::fromStdString(shared(path)));
}

inline QJsonObject golden_results(const char* model) {
  QFile file(QString::fromStdString(shared("golden/")) + model + "/results.json");
  if (!file.open(QIODevice::ReadOnly)) return {};
  return QJsonDocument::fromJson(file.readAll()).object();
}

struct Setting {
  std::shared_ptr<const model::Model> model;
  evaluate::Windows windows;
};
inline Result<Setting> open_setting(const char* model_path, const char* text_path, std::uint32_t context,
                                    std::uint32_t windows) {
  Setting out;
  auto file = io::open_gguf(shared(model_path));
  if (!file) return pass(file);
  auto model = model::make_model(std::move(*file));
  if (!model) return pass(model);
  out.model = *model;
  auto tokenizer = tokenizer::make_tokenizer(out.model->file().metadata(), out.model->file().path());
  if (!tokenizer) return pass(tokenizer);
  auto text = read_file(shared(text_path), std::size_t{1} << 24);
  if (!text) return pass(text);
  auto ids = (*tokenizer)->encode(*text);
  if (!ids) return pass(ids);
  std::vector<tokenizer::TokenId> tokens;
  if ((*tokenizer)->adds_bos() && (*tokenizer)->bos()) tokens.push_back(*(*tokenizer)->bos());
  tokens.insert(tokens.end(), ids->begin(), ids->end());
  evaluate::Options options;
  options.context = context;
  options.windows = windows;
  auto cut = evaluate::make_windows(tokens, **tokenizer, options, out.model->llama()->context);
  if (!cut) return pass(cut);
  out.windows = std::move(*cut);
  return out;
}

/// The reference's cells of one format with their mean KL, in its order.
struct GoldenCells {
  std::vector<sensitivity::Cell> cells;
  std::vector<double> kl;
};
inline GoldenCells golden_cells(const Setting& setting, const QJsonArray& rows) {
  GoldenCells out;
  for (const QJsonValue& row : rows) {
    const std::string name = row["tensor"].toString().toStdString();
    const auto tensor = setting.model->file().find_tensor(name);
    if (!tensor) continue;
    out.cells.push_back({name, kernels::Format::Q4_0, kernels::Quantizer::Rtn, {*tensor}});
    out.kl.push_back(row["kld_mean"].toDouble());
  }
  return out;
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

}  // namespace bitlens::test
