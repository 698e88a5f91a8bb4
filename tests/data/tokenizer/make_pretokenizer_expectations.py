#!/usr/bin/env python3
"""Writes pretokenizer_expectations.json: how the Hugging Face `tokenizers` library (Oniguruma) cuts our own sample
texts with the pre-tokenizers of published tokenizer.json files. The tests compare Bitlens's pieces with these.

    pip install tokenizers && python3 make_pretokenizer_expectations.py

`texts` are the samples; `ends` gives, per pre-tokenizer and text, where its pieces end (bytes of UTF-8). Code points
assigned after Unicode 13 are avoided: the library's tables and PCRE2's may be of different versions.
"""
import json
import random

from tokenizers import Regex
from tokenizers.pre_tokenizers import ByteLevel, Digits, Punctuation, Sequence, Split

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
# The cased letters of deepseek-llm, escaped: several look like others (Kelvin sign, Ohm sign).
LETTERS = ("\\s?["
           "A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-"
           "\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-"
           "\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf"
           "\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-"
           "\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc"
           "\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115"
           "\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e"
           "\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-"
           "\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
           "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-"
           "\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
           "]+")


def split(*patterns):
    return [Split(Regex(p), "isolated") for p in patterns]


BYTES = ByteLevel(add_prefix_space=False, use_regex=True)  # GPT-2's own pattern, built into the library
CJK = "[一-龥ࠀ-一가-퟿]+"
KINDS = {
    "gpt-2": BYTES,
    "smollm": Sequence([Digits(individual_digits=True), BYTES]),
    "falcon": Sequence([Punctuation("contiguous"), BYTES, *split("[0-9][0-9][0-9]")]),
    "llama-bpe": Sequence(split(LLAMA3)),
    "qwen2": Sequence(split(LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}"))),
    "deepseek-coder": Sequence([*split("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", CJK), Digits(individual_digits=True)]),
    "deepseek-llm": Sequence([
        *split("[\r\n]", LETTERS, r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", CJK), Digits(individual_digits=False)
    ]),
}

TEXTS = [
    "",
    " ",
    "   ",
    "\n",
    "\r\n\r\n",
    " \n \n\n  x",
    "Hello, world!  Two spaces; three   here. ",
    "I've we'll they'Re 'S 'tis don't DON'T y'all'd've",
    "it'ſ a long s, 'ſo it is",
    "x = 12345 + 0.5e-10; // ÷ 3½ ⅷ ²³ ٣٤٥",
    "naïve  cafés: 日本語テスト!! 한국어 조합 中文，标点。",
    "tabs\t\tand\vvertical\fform\u0085next\u00a0nbsp\u2003em\u2028line\u3000ideographic",
    "mongolian\u180evowel \u180e separator \u200b zero\u200bwidth \ufeff bom",
    "a\u0301 combining \u0301\u0301\u0301 marks e\u0308x",
    "😀 😀😀 👩\u200d👩\u200d👧 🇨🇳 emoji",
    "def f(x):\n    return x**2  # 平方\n\n\n\tif a != b:\n",
    "!!!???...---===+++<<<>>>|||~~~```^^^$$$",
    "price: $5.00 €10 £20 ¥30, 50% off & more @home #tag",
    "１２３ ＡＢＣ ｘｙｚ ！？ ‘quoted’ “double”",
    "Привет, мир! Ελληνικά Ἀθῆναι Հայերեն ქართული ᎣᏏᏲ",
    "ƻ ǀ ʔ ª º ꟷ 𝐀𝐁 letters that are letters nowhere else",
    "हिन्दी தமிழ் ไทย العربية עברית",
    "control \x01\x02 and \x7f delete\x1b[0m",
    "trailing spaces   ",
    "1 22 333 4444 55555 666666 7777777",
    "  　　 mixed 　 spaces　\u2003",
]


def random_texts(count):
    rng = random.Random(7)
    parts = ["a", "Zz", "é", "ß", "中", "字", "ア", "한", "1", "23", "456", "٣", "½", "'", "'s", "'LL", "!", "?!", "$", "+", "^", "`", "“", "，",
             "　", " ", "  ", "\n", "\r", "\t", "\u0085", "\u00a0", "\u2028", "\u180e", "\u0301", "😀", "\u200d", "_", "-", "\x01", "Ω", "ж", "ª"]
    return ["".join(rng.choice(parts) for _ in range(rng.randint(1, 14))) for _ in range(count)]


def main():
    texts = TEXTS + random_texts(150)
    ends = {}
    for name, pre in KINDS.items():
        # Offsets, not strings: ByteLevel spells its pieces in its own alphabet. The library counts characters.
        ends[name] = [[len(text[:end].encode()) for _, (_, end) in pre.pre_tokenize_str(text)] for text in texts]
    with open("pretokenizer_expectations.json", "w", encoding="utf-8") as file:
        json.dump({"texts": texts, "ends": ends}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
