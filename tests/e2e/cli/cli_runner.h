// Runs the built bitlens-cli as a user would, on models and texts made for the test.
#pragma once

#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/unit/run/tiny_llama.h"

namespace bitlens::test {

struct Outcome {
  bool crashed = true;
  int code = -1;
  std::string out, err;
  /// stdout as one JSON value; discarded (is_discarded()) if it is none.
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
  [[nodiscard]] bool ok() const { return !crashed && code == 0; }
  /// Nothing on stdout, one line "error: ..." on stderr.
  [[nodiscard]] bool is_one_line_error() const;
  [[nodiscard]] QByteArray describe() const;
};

/// `prepare` may set limits, environment or redirections before the start.
[[nodiscard]] Outcome cli(const QStringList& arguments, const std::function<void(QProcess&)>& prepare = {});
/// The program, not started.
void set_up_cli(QProcess& process, const QStringList& arguments);
[[nodiscard]] Outcome outcome_of(QProcess& process);

/// A model whose every matrix fits blocks of 32, with a SentencePiece-style vocabulary of bytes and letters.
[[nodiscard]] testing::TinyLlama small_model();
using Keys = std::vector<std::pair<std::string, io::MetadataValue>>;
/// The vocabulary's metadata: <unk>, <s>, </s>, 256 bytes, the space mark, a .. z.
void add_vocabulary(Keys& keys, std::uint32_t size);
[[nodiscard]] std::string model_bytes(const testing::TinyLlama& model,
                                      const std::function<void(Keys&)>& edit = {});
/// Words of random letters: `bytes` long.
[[nodiscard]] std::string random_text(std::size_t bytes);

}  // namespace bitlens::test
