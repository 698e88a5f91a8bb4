#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample model as PyTorch sees it: held-out perplexity, tasks, baselines, overlap with the training text.

    python3 resources/sample/evaluate.py --model sample-f16.gguf --work build/sample --out build/sample

Perplexity follows llama-perplexity: BOS at the head of the text, whole windows of n tokens, each window's first token replaced by
BOS, positions n/2 .. n-2 scored on their next token. --work is the folder train.py worked in (tokens for the
baselines; without it they are left out). Writes reference.json (the perplexities another implementation must
reproduce) and figures.json.
"""
import argparse
import glob
import hashlib
import json
import math
import os
import re
import sys

import numpy as np
import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from bpe import ALPHABET
from model import BOS, load_gguf


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def windows(ids, bos, n):
    """(windows, n) tokens, tail dropped, first of each replaced by BOS."""
    ids = np.concatenate(([bos], ids))
    out = ids[:len(ids) // n * n].reshape(-1, n).copy()
    out[:, 0] = bos
    return torch.from_numpy(out)


@torch.no_grad()
def scored(model, rows, batch=16):
    """Yields (log-probabilities, targets) of the scored positions, a few windows at a time."""
    n = rows.shape[1]
    device = next(model.parameters()).device
    for part in rows.split(batch):
        part = part.to(device)
        yield torch.log_softmax(model(part)[:, n // 2:n - 1], -1), part[:, n // 2 + 1:]


def losses(model, rows):
    """Per-token negative log-likelihood, nats."""
    return torch.cat([-log_p.gather(-1, target[..., None])[..., 0].flatten().double() for log_p, target in scored(model, rows)]).cpu()


def perplexity(nll):
    """(perplexity, its standard error)"""
    value = math.exp(nll.mean())
    return value, float(nll.std(unbiased=False)) / math.sqrt(len(nll) - 1) * value


@torch.no_grad()
def task_accuracy(model, bpe, items):
    """kind -> share of items whose right candidate has the highest summed log-probability."""
    device, bos = next(model.parameters()).device, bpe.ids[BOS]
    rows = []
    for number, item in enumerate(items):
        prompt = [bos] + bpe.encode(item["prompt"])
        rows += [(prompt + bpe.encode(c), len(prompt), number) for c in item["candidates"]]
    score = [[] for _ in items]
    results = [0.0] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]))
    for first in range(0, len(order), 64):
        chunk = order[first:first + 64]
        longest = max(len(rows[i][0]) for i in chunk)
        tokens = torch.tensor([rows[i][0] + [bos] * (longest - len(rows[i][0])) for i in chunk], device=device)
        log_p = torch.log_softmax(model(tokens)[:, :-1], -1).gather(-1, tokens[:, 1:, None])[..., 0].cpu()
        for row, i in enumerate(chunk):
            results[i] = float(log_p[row, rows[i][1] - 1:len(rows[i][0]) - 1].double().sum())
    for i, (_, _, number) in enumerate(rows):
        score[number].append(results[i])
    right = [int(np.argmax(s)) == item["answer"] for s, item in zip(score, items)]
    return by_kind(items, right)


def by_kind(items, right):
    out = {}
    for item, r in zip(items, right):
        out.setdefault(item["kind"], []).append(float(r))
    return {k: round(sum(v) / len(v), 4) for k, v in out.items()} | {"all": round(sum(map(float, right)) / len(right), 4)}


class Trigram:
    """Witten-Bell interpolation of trigram, bigram, unigram and uniform, counted over token ids."""

    def __init__(self, tokens, vocab):
        t = tokens.astype(np.int64)
        self.vocab, self.tables = vocab, []
        self.unigram = np.bincount(t, minlength=vocab).astype(float)
        kinds = np.count_nonzero(self.unigram)
        self.unigram = (self.unigram + kinds / vocab) / (len(t) + kinds)
        for order in (2, 3):
            gram = np.zeros(len(t) - order + 1, np.int64)
            for i in range(order):
                gram = gram * vocab + t[i:len(t) - order + 1 + i]
            grams, counts = np.unique(gram, return_counts=True)
            contexts, first = np.unique(grams // vocab, return_index=True)
            total = np.add.reduceat(counts, first)
            distinct = np.diff(np.append(first, len(grams)))
            self.tables.append((grams, counts, contexts, total, distinct))

    @staticmethod
    def look(keys, values, wanted):
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, values[at], 0)

    def probability(self, u, v, w):
        p = self.unigram[w]
        for (grams, counts, contexts, total, distinct), context in zip(self.tables, (v, u * self.vocab + v)):
            c, n = self.look(grams, counts, context * self.vocab + w), self.look(contexts, total, context)
            t = self.look(contexts, distinct, context)
            p = np.where(n > 0, (c + t * p) / np.maximum(n + t, 1), p)
        return p

    def score(self, prompt, candidate):
        seq = np.array(prompt[-2:] + candidate, np.int64)
        return float(np.log(self.probability(seq[:-2], seq[1:-1], seq[2:])).sum())


def baselines(tokens, rows, vocab, items, bpe):
    """Perplexity of unigram and trigram at the very positions the model is scored on, and the trigram's tasks."""
    model = Trigram(tokens, vocab)
    n = rows.shape[1]
    r = rows.numpy()
    u, v, w = (r[:, n // 2 - 1 + i:n - 2 + i].ravel() for i in range(3))
    right = [int(np.argmax([model.score(bpe.encode(i["prompt"]), bpe.encode(c)) for c in i["candidates"]])) == i["answer"] for i in items]
    return {"unigram": math.exp(-np.log(model.unigram[w]).mean()), "trigram": math.exp(-np.log(model.probability(u, v, w)).mean()),
            "trigram_tasks": by_kind(items, right)}


def overlap(train, heldout, n=13):
    """Share of the n-grams of `heldout` that occur in `train` (sequences of small integers, compared by 64-bit hashes)."""
    def grams(x):
        x = np.asarray(x).astype(np.uint64) + np.uint64(1)
        out = np.zeros(len(x) - n + 1, np.uint64)
        for i in range(n):
            out = (out ^ (out >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + x[i:len(x) - n + 1 + i]
        return out
    return float(np.isin(grams(heldout), np.unique(grams(train))).mean())


def word_ids(text, table):
    return [table.setdefault(w, len(table)) for w in re.findall(r"\w+", text.lower())]


@torch.no_grad()
def continue_text(model, bpe, prompt, count=90, temperature=0.7):
    g = torch.Generator().manual_seed(0)
    ids = [bpe.ids[BOS]] + bpe.encode(prompt)
    for _ in range(count):
        logits = model(torch.tensor([ids], device=next(model.parameters()).device))[0, -1].float().cpu()
        ids.append(int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=g)))
    return spell_out(bpe, ids[1:])


def spell_out(bpe, ids):
    """The text of token ids; specials have none."""
    inverse = {c: b for b, c in ALPHABET.items()}
    table = [b"" if i < len(bpe.specials) else bytes(inverse[c] for c in t) for i, t in enumerate(bpe.tokens)]
    return b"".join(table[i] for i in ids).decode("utf-8", "replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", default=os.path.join(HERE, "sample-f16.gguf"))
    parser.add_argument("--work", help="folder train.py worked in")
    parser.add_argument("--out", required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--quick", action="store_true", help="perplexity and tasks only")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    model, bpe, _ = load_gguf(args.model)
    model = model.to(args.device)
    with open(os.path.join(HERE, "heldout.txt"), encoding="utf-8") as file:
        text = file.read()
    with open(os.path.join(HERE, "tasks.json"), encoding="utf-8") as file:
        items = json.load(file)["items"]
    ids, bos = np.array(bpe.encode(text), np.int64), bpe.ids[BOS]
    figures = {"heldout_tokens": len(ids), "bytes_per_token": round(len(text.encode()) / len(ids), 3)}
    for n in (256, 512):
        figures[f"perplexity_{n}"], figures[f"error_{n}"] = perplexity(losses(model, windows(ids, bos, n)))
    figures["chance"] = {k: round(v, 4) for k, v in by_kind(items, [1 / len(i["candidates"]) for i in items]).items()}
    figures["tasks"] = task_accuracy(model, bpe, items)
    print(json.dumps(figures, indent=1), flush=True)
    for prompt in ("One winter morning", "Hugo had 17 pears.", "A stranger called Thornavel came to the inn."):
        print("---", continue_text(model, bpe, prompt), flush=True)
    if not args.quick:
        full_figures(args, model, bpe, text, ids, items, figures)
    with open(os.path.join(args.out, "figures.json"), "w") as file:
        json.dump(figures, file, indent=1)


def full_figures(args, model, bpe, text, ids, items, figures):
    bos = bpe.ids[BOS]
    rows = windows(ids, bos, 512)
    if args.work:
        corpora = {os.path.basename(path)[len("corpus-"):-len(".npz")]: np.load(path)["tokens"]
                   for path in sorted(glob.glob(os.path.join(args.work, "corpus-*.npz")))}
        tokens = corpora["world"]
        figures["baselines"] = baselines(tokens, rows, model.shape.vocab, items, bpe)
        trained_on = np.concatenate(list(corpora.values()))
        figures["overlap_13_tokens"] = overlap(trained_on, ids)
        table = {}
        figures["overlap_13_words"] = overlap(word_ids(spell_out(bpe, trained_on), table), word_ids(text, table))
        print({k: figures.get(k) for k in ("baselines", "overlap_13_tokens", "overlap_13_words")}, flush=True)

    reference = {"model_sha256": sha256(args.model), "text_sha256": sha256(os.path.join(HERE, "heldout.txt")), "tokens": len(ids),
                 "token_ids_sha256_u32le": hashlib.sha256(ids.astype("<u4").tobytes()).hexdigest(), "first_ids": ids[:16].tolist(),
                 "last_ids": ids[-16:].tolist(), "protocol": "llama", "torch": torch.__version__, "device": args.device,
                 "tasks": figures["tasks"], "windows": []}
    exact = model.double()
    for n in (256, 512):
        part = windows(ids, bos, n)
        nll = losses(exact, part)
        value, error = perplexity(nll)
        reference["windows"].append({"context": n, "count": len(part), "scored": len(nll), "perplexity_f64": value, "error": error,
                                     "perplexity_f32": figures[f"perplexity_{n}"]})
    model.float()
    print(json.dumps(reference["windows"]), flush=True)
    with open(os.path.join(args.out, "reference.json"), "w") as file:
        json.dump(reference, file, indent=1)


if __name__ == "__main__":
    main()
