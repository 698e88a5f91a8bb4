#include "tests/e2e/cli/cli_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace bitlens::test {

bool Outcome::is_one_line_error() const {
  return !crashed && code > 0 && code < 100 && out.empty() && err.starts_with("error: ") &&
         err.ends_with('\n') && std::count(err.begin(), err.end(), '\n') == 1;
}

QByteArray Outcome::describe() const {
  return QByteArray::fromStdString(
      fmt::format("{} code {}\nstdout: {}\nstderr: {}", crashed ? "CRASHED" : "exited", code, out, err));
}

void set_up_cli(QProcess& process, const QStringList& arguments) {
  process.setProgram(QStringLiteral(BITLENS_BIN_DIR "/bitlens-cli"));
  process.setArguments(arguments);
}

Outcome outcome_of(QProcess& process) {
  Outcome outcome;
  if (!process.waitForFinished(120'000)) {
    process.kill();
    process.waitForFinished();
    outcome.err = "did not end in time";
    return outcome;
  }
  outcome.crashed = process.exitStatus() != QProcess::NormalExit;
  outcome.code = process.exitCode();
  outcome.out = process.readAllStandardOutput().toStdString();
  outcome.err = process.readAllStandardError().toStdString();
  return outcome;
}

Outcome cli(const QStringList& arguments, const std::function<void(QProcess&)>& prepare) {
  QProcess process;
  set_up_cli(process, arguments);
  if (prepare) prepare(process);
  process.start();
  return outcome_of(process);
}

testing::TinyLlama small_model() {
  testing::TinyLlama model;
  model.width = 32;
  model.heads = 4;
  model.kv_heads = 2;
  model.head_dim = 8;
  model.rope_dimensions = 8;
  model.ffn = 64;
  model.vocabulary = 288;
  model.draw();
  return model;
}

void add_vocabulary(Keys& keys, std::uint32_t size) {
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
  std::vector<std::int32_t> types{2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back(fmt::format("<0x{:02X}>", byte));
    types.push_back(6);
  }
  tokens.emplace_back("\xE2\x96\x81");
  for (char letter = 'a'; letter <= 'z'; ++letter) tokens.emplace_back(1, letter);
  while (tokens.size() < size) tokens.push_back(fmt::format("<unused{}>", tokens.size()));
  types.resize(tokens.size(), 1);
  keys.emplace_back("tokenizer.ggml.model", std::string("llama"));
  keys.emplace_back("tokenizer.ggml.scores", io::MetadataArray(std::vector<float>(tokens.size(), -1.0F)));
  keys.emplace_back("tokenizer.ggml.tokens", io::MetadataArray(std::move(tokens)));
  keys.emplace_back("tokenizer.ggml.token_type", io::MetadataArray(std::move(types)));
  keys.emplace_back("tokenizer.ggml.bos_token_id", std::uint32_t{1});
  keys.emplace_back("tokenizer.ggml.add_bos_token", true);
}

std::string model_bytes(const testing::TinyLlama& model, const std::function<void(Keys&)>& edit) {
  return model.bytes([&](Keys& keys) {
    add_vocabulary(keys, model.vocabulary);
    if (edit) edit(keys);
  });
}

std::string random_text(std::size_t bytes) {
  std::mt19937 random(7);
  std::string out;
  while (out.size() < bytes)
    out += random() % 6 == 0 ? ' ' : static_cast<char>('a' + static_cast<char>(random() % 26));
  return out;
}

}  // namespace bitlens::test
