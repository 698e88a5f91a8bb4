// The windows of the two protocols.
#include <QtTest>
#include <numeric>

#include "core/evaluate/perplexity.h"

using namespace bitlens;
using evaluate::Options;
using evaluate::Protocol;
using tokenizer::TokenId;

namespace {

class FakeTokenizer final : public tokenizer::Tokenizer {
 public:
  FakeTokenizer(bool adds, std::optional<TokenId> bos) : adds_(adds), bos_(bos) {}
  Result<std::vector<TokenId>> encode(std::string_view) const override { return std::vector<TokenId>{}; }
  std::string decode(TokenId) const override { return {}; }
  std::string_view spelling(TokenId) const override { return {}; }
  std::size_t size() const override { return 1000; }
  std::optional<TokenId> bos() const override { return bos_; }
  bool adds_bos() const override { return adds_; }
  const std::string& description() const override { return text_; }
  const std::vector<std::string>& warnings() const override { return warnings_; }

 private:
  bool adds_;
  std::optional<TokenId> bos_;
  std::string text_;
  std::vector<std::string> warnings_;
};

std::vector<TokenId> tokens(std::size_t count) {
  std::vector<TokenId> ids(count);
  std::iota(ids.begin(), ids.end(), 100);
  return ids;
}

}  // namespace

class WindowsTest : public QObject {
  Q_OBJECT

 private slots:
  void llama_replaces_the_first_token() {
    const FakeTokenizer with(true, 1);
    const auto windows = evaluate::make_windows(tokens(27), with, {Protocol::Llama, 8}, 64);
    QVERIFY(windows);
    QCOMPARE(windows->inputs.size(), std::size_t{3});  // the tail of 3 is dropped
    QCOMPARE(windows->text_tokens, std::uint64_t{27});
    QCOMPARE(windows->first_scored, 4U);
    QCOMPARE(windows->last_scored, 6U);
    QCOMPARE(windows->scored_per_window(), std::uint64_t{3});
    QVERIFY((windows->inputs[1] == std::vector<TokenId>{1, 109, 110, 111, 112, 113, 114, 115}));
    QVERIFY((windows->targets[1] == std::vector<TokenId>{109, 110, 111, 112, 113, 114, 115}));
    QVERIFY(windows->warnings.empty());
  }

  void models_without_bos_keep_it() {
    const FakeTokenizer without(false, 1);
    const auto windows = evaluate::make_windows(tokens(16), without, {Protocol::Llama, 8}, 64);
    QVERIFY(windows);
    QCOMPARE(windows->inputs[1].front(), 108);
  }

  void a_bos_that_is_not_named_warns() {
    const FakeTokenizer nameless(true, std::nullopt);
    const auto windows = evaluate::make_windows(tokens(16), nameless, {Protocol::Llama, 8}, 64);
    QVERIFY(windows);
    QCOMPARE(windows->inputs[1].front(), 108);
    QCOMPARE(windows->warnings.size(), std::size_t{1});
  }

  void paper_scores_every_position() {
    const FakeTokenizer with(true, 1);
    const auto windows = evaluate::make_windows(tokens(16), with, {Protocol::Paper, 8}, 64);
    QVERIFY(windows);
    QCOMPARE(windows->first_scored, 0U);
    QCOMPARE(windows->last_scored, 6U);
    QCOMPARE(windows->inputs[1].front(), 108);
  }

  void defaults_and_limits() {
    const FakeTokenizer with(true, 1);
    QCOMPARE(evaluate::make_windows(tokens(5000), with, {Protocol::Llama}, 8192)->context, 512U);
    QCOMPARE(evaluate::make_windows(tokens(5000), with, {Protocol::Paper}, 8192)->context, 2048U);
    QCOMPARE(evaluate::make_windows(tokens(5000), with, {Protocol::Llama, 512, 3}, 8192)->inputs.size(),
             std::size_t{3});
    QCOMPARE(evaluate::make_windows(tokens(5000), with, {Protocol::Llama, 512, 99}, 8192)->inputs.size(),
             std::size_t{9});
    // An odd context: positions n/2 .. n-2.
    const auto odd = evaluate::make_windows(tokens(40), with, {Protocol::Llama, 9}, 64);
    QCOMPARE(odd->first_scored, 4U);
    QCOMPARE(odd->last_scored, 7U);
  }

  void too_short_is_an_error() {
    const FakeTokenizer with(true, 1);
    const auto short_text = evaluate::make_windows(tokens(312), with, {Protocol::Llama, 512}, 8192);
    QVERIFY(!short_text);
    QCOMPARE(short_text.error().code, ErrorCode::InvalidArgument);
    QCOMPARE(short_text.error().message, std::string("text has 312 tokens; at least 2 x 512 needed"));
    QVERIFY(!evaluate::make_windows(tokens(1023), with, {Protocol::Llama, 512}, 8192));
    QVERIFY(evaluate::make_windows(tokens(1024), with, {Protocol::Llama, 512}, 8192));
    QVERIFY(!evaluate::make_windows(tokens(100), with, {Protocol::Llama, 3}, 8192));
    QVERIFY(!evaluate::make_windows({}, with, {Protocol::Llama}, 8192));
  }

  void longer_than_the_model_warns() {
    const FakeTokenizer with(true, 1);
    const auto windows = evaluate::make_windows(tokens(600), with, {Protocol::Llama, 256}, 128);
    QVERIFY(windows);
    QCOMPARE(windows->warnings, std::vector<std::string>{
                                    "windows of 256 tokens are longer than the model's own context of 128"});
  }
};

QTEST_APPLESS_MAIN(WindowsTest)
#include "tst_windows.moc"
