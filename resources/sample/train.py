#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the sample model: writes the text, the vocabulary, the weights.

    python3 resources/sample/train.py --out build/sample            (CPU, about two hours)
    python3 resources/sample/train.py --device cuda --out build/sample

Stopped and started again with the same --out it goes on from the last checkpoint. The same seed gives the same text, vocabulary,
first weights and batches everywhere; sums of floats differ between devices, thread counts and PyTorch versions, so
the trained weights agree in quality, not in bits.
"""
import argparse
import array
import json
import math
import os
import random
import sys
import time

import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import world
from bpe import Bpe
from evaluate import task_accuracy
from model import BOS, EOS, Llama, Ops, Shape, save_gguf, save_safetensors


class Corpus:
    """Training text as token ids (uint16), with which of them are answers and where texts begin."""

    def __init__(self, tokens, answers, starts):
        self.tokens, self.answers, self.starts = tokens, answers, starts

    @classmethod
    def write(cls, bpe, seed, size, kinds):
        tokens, answers, starts = array.array("H"), bytearray(), []
        for parts in world.texts("train", seed, size, kinds):
            starts.append(len(tokens))
            for words, answer in parts + [("\n\n", False)]:  # every part begins with a space, as a piece of the tokenizer does
                ids = bpe.encode(words)
                tokens.extend(ids)
                answers.extend([answer] * len(ids))
        return cls(np.array(tokens, np.uint16), np.array(answers, np.uint8), np.array(starts, np.int64))

    def batch(self, bos, rng, rows, window, answer_weight):
        """Inputs, targets and the targets' weights. Every window begins at a text, with BOS before it, and holds as many
        texts as fit."""
        last = int(np.searchsorted(self.starts, len(self.tokens) - window))
        at = [int(self.starts[rng.randrange(last)]) for _ in range(rows)]
        targets = torch.from_numpy(np.stack([self.tokens[i:i + window] for i in at]).astype(np.int64))
        weights = torch.from_numpy(np.stack([self.answers[i:i + window] for i in at])).float() * (answer_weight - 1) + 1
        return torch.cat((torch.full((rows, 1), bos), targets[:, :-1]), 1), targets, weights


def prepare(folder, args):
    """Tokenizer and corpora, made once, then read back."""
    merges = os.path.join(folder, "merges.json")
    if not os.path.exists(merges):
        bpe = Bpe.train(world.write_text("train", args.seed, args.bpe_bytes), args.vocab, [BOS, EOS])
        with open(merges, "w") as file:
            json.dump(bpe.merges, file)
    with open(merges) as file:
        bpe = Bpe([BOS, EOS], json.load(file))
    corpora = {}
    for name, (kinds, share) in CORPORA.items():
        stored = os.path.join(folder, f"corpus-{name}.npz")
        if not os.path.exists(stored):
            np.savez(stored + ".part.npz", **vars(Corpus.write(bpe, f"{name}/{args.seed}", args.text_bytes // share, kinds)))
            os.replace(stored + ".part.npz", stored)
        arrays = np.load(stored)
        corpora[name] = Corpus(arrays["tokens"], arrays["answers"], arrays["starts"])
    return bpe, corpora


# the kinds of text in each corpus, and the part of --text-bytes it takes
CORPORA = {"primer": (world.PRIMER, 9), "recital": (world.RECITAL, 9), "numbers": (world.NUMBERS, 9), "hard": (world.HARD, 4), "world": (world.KINDS, 1)}
# corpora (taken in turn), window, step the stage ends before; the tokens of a step are always as many
MIXED = ("world", "numbers", "world", "world", "recital", "world", "numbers", "world")
HARD = ("world", "hard", "numbers", "world", "hard", "recital", "world", "hard")
SHORT = ("primer", "world", "primer", "numbers", "primer", "recital", "world", "primer", "numbers")
STAGES = [(("recital",), 64, 160), (("recital", "primer", "world"), 128, 400), (MIXED, 128, 600), (SHORT, 96, 1600), (MIXED, 128, 2100),
          (HARD, 128, 4300), (HARD, 256, 4500), (HARD, 512, 4600), (HARD, 512, 5000)]
STEPS = STAGES[-1][2]
FALLEN = STAGES[-2][2]  # here the rate has fallen to zero; it rises once more, by half, for the whole context


class Muon:
    """Momentum whose update is orthogonalised by Newton-Schulz steps (K. Jordan et al., 2024), for the inner matrices."""

    def __init__(self, weights, bf16, momentum=0.95):
        self.weights, self.bf16, self.momentum = weights, bf16, momentum
        self.state = [torch.zeros_like(w) for w in weights]

    @staticmethod
    def orthogonal(g, bf16):
        """(count, rows, columns) -> nearest half-orthogonal matrices, roughly."""
        tall = g.shape[1] > g.shape[2]
        x = g.transpose(1, 2) if tall else g
        if bf16:
            x = x.bfloat16()
        x = x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)
        for _ in range(5):
            a = x @ x.transpose(1, 2)
            x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
        return x.transpose(1, 2) if tall else x

    @torch.no_grad()
    def step(self, rate):
        groups = {}
        for w, m in zip(self.weights, self.state):
            m.mul_(self.momentum).add_(w.grad)
            groups.setdefault(tuple(w.shape), []).append((w, w.grad + self.momentum * m))
        for (rows, columns), members in groups.items():
            updates = self.orthogonal(torch.stack([u for _, u in members]), self.bf16).float() * max(1.0, rows / columns) ** 0.5
            for (w, _), u in zip(members, updates):
                w.mul_(1 - rate * 0.05).sub_(u, alpha=rate)


def schedule(step, args):
    """Linear warm-up, flat, cosine to zero over the last part; then linear from a half to zero."""
    if step >= FALLEN:
        return 0.5 * (STEPS - step) / (STEPS - FALLEN)
    warm = min(1.0, (step + 1) / args.warmup)
    left = (FALLEN - step) / (FALLEN * args.decay)
    return warm * (1.0 if left >= 1 else 0.5 - 0.5 * math.cos(math.pi * left))


def fastest(model, args):
    """(bf16 products?, fused?) as asked for; "auto" takes what this machine can do."""
    amx = getattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    bf16 = args.precision == "bf16" or args.precision == "auto" and (args.device != "cpu" or amx())
    if args.fuse == "off":
        return bf16, False
    try:
        Ops(True).swiglu(torch.ones(4, 8), torch.ones(4, 8))
        return bf16, True
    except Exception as error:  # no compiler, or a PyTorch without torch.compile: whatever is missing, the plain way works
        if args.fuse == "on":
            raise
        print(f"not fused: {type(error).__name__}", flush=True)
        return bf16, False


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True, help="folder of the results")
    parser.add_argument("--work", help="folder of tokens and checkpoints (default: --out)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=4096, help="a step")
    parser.add_argument("--answer-weight", type=float, default=3, help="what an answer's token counts in the loss; others count 1")
    parser.add_argument("--precision", choices=["auto", "bf16", "f32"], default="auto", help="of the matrix products; auto: bf16 where the processor has it")
    parser.add_argument("--fuse", choices=["auto", "on", "off"], default="auto", help="compile what stands between the products")
    parser.add_argument("--dev-every", type=int, default=250, help="steps between accuracies on tasks of another seed than the shipped ones")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--vocab", type=int, default=1536)
    parser.add_argument("--text-bytes", type=int, default=36_000_000)
    parser.add_argument("--bpe-bytes", type=int, default=4_000_000)
    parser.add_argument("--adam-rate", type=float, default=0.002, help="of embedding, output and norms")
    parser.add_argument("--rate", type=float, default=0.005, help="of the inner matrices")
    parser.add_argument("--warmup", type=int, default=50)
    parser.add_argument("--decay", type=float, default=0.32, help="share of the steps over which the rate falls")
    parser.add_argument("--checkpoint", type=int, default=100)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0, help="stop after this long, at a checkpoint (0: never)")
    args = parser.parse_args()
    args.work = args.work or args.out
    os.makedirs(args.out, exist_ok=True)
    os.makedirs(args.work, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    begun = time.time()

    bpe, corpora = prepare(args.work, args)
    for name, corpus in corpora.items():
        print(f"{name}: {len(corpus.tokens)} tokens, {corpus.answers.mean():.3f} of them answers, {len(corpus.starts)} texts, "
              f"{time.time() - begun:.0f} s", flush=True)
    model = Llama(Shape(vocab=len(bpe.tokens), layers=args.layers), args.seed).to(args.device)
    model.begin_with_recall(args.seed)
    bf16, fused = fastest(model, args)
    ops = {True: Ops(fused), False: Ops()}
    weights = dict(zip(model.weights, model.parameters()))
    inner = [w for n, w in weights.items() if n.startswith("blk.") and w.dim() == 2]
    outer = [w for n, w in weights.items() if not (n.startswith("blk.") and w.dim() == 2)]
    muon = Muon(inner, bf16)
    adam = torch.optim.AdamW(outer, lr=args.adam_rate, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
    print(f"{sum(w.numel() for w in weights.values())} weights, products in {'bf16' if bf16 else 'f32'}, "
          f"{'fused' if fused else 'not fused'}", flush=True)
    dev = world.write_tasks("dev", 25)["items"]

    first, curve, accuracy, saved = 0, [], [], os.path.join(args.work, "checkpoint.pt")
    if os.path.exists(saved):
        state = torch.load(saved, map_location=args.device)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        muon.state = [m.to(args.device) for m in state["muon"]]
        first, curve, accuracy = state["step"], state["curve"], state["accuracy"]
        print(f"going on from step {first}", flush=True)

    running, started = torch.zeros(2), time.time()
    for step in range(first, STEPS):
        names, window, _ = next(stage for stage in STAGES if step < stage[2])
        inputs, targets, share = (t.to(args.device) for t in corpora[names[step % len(names)]].batch(
            bpe.ids[BOS], random.Random(f"{args.seed}/{step}"), args.tokens // window, window, args.answer_weight))
        model.ops, model.compute = ops[True], torch.bfloat16 if bf16 else None
        each = model.ops.token_loss(model(inputs).flatten(0, 1), targets.flatten())
        share = share.flatten()
        for w in weights.values():
            w.grad = None
        ((each * share).sum() / share.sum()).backward()
        factor = schedule(step, args)
        torch.nn.utils.clip_grad_norm_(outer, 1.0)
        for group in adam.param_groups:
            group["lr"] = args.adam_rate * factor
        adam.step()
        muon.step(args.rate * factor)
        running += torch.stack((each.mean(), each[share > 1].mean())).detach().cpu()
        if (step + 1) % 50 == 0 or step + 1 == STEPS:
            mean, answer = (running / (step % 50 + 1)).tolist()
            if not math.isfinite(mean):
                sys.exit(f"step {step + 1}: the loss is {mean}")
            speed = (step + 1 - first) / (time.time() - started)
            curve.append((step + 1, round(mean, 4), round(answer, 4)))
            print(f"step {step + 1} loss {mean:.4f} answers {answer:.4f} {speed:.2f} steps/s {speed * args.tokens:.0f} tokens/s", flush=True)
            running.zero_()
        if (step + 1) % args.dev_every == 0:
            model.ops, model.compute = ops[False], torch.bfloat16 if bf16 else None
            accuracy.append((step + 1, task_accuracy(model, bpe, dev)))
            print("dev tasks", *(f"{k} {100 * v:.0f}" for k, v in accuracy[-1][1].items()), flush=True)
        out_of_time = args.seconds and time.time() - begun > args.seconds
        if (step + 1) % args.checkpoint == 0 or out_of_time:
            torch.save({"model": model.state_dict(), "adam": adam.state_dict(), "muon": muon.state, "step": step + 1,
                        "curve": curve, "accuracy": accuracy}, saved + ".part")
            os.replace(saved + ".part", saved)
            if out_of_time:
                print(f"stopped after step {step + 1}; start again to go on")
                return
    save_gguf(os.path.join(args.out, "sample-f16.gguf"), model, bpe)
    save_safetensors(args.work, model, bpe)
    with open(os.path.join(args.out, "curve.json"), "w") as file:
        settings = {k: v for k, v in vars(args).items() if k not in ("out", "work", "threads", "seconds")}
        json.dump({"settings": {**settings, "torch": torch.__version__, "bf16": bf16, "fused": fused}, "seconds": round(time.time() - begun),
                   "loss": curve, "dev_accuracy": accuracy}, file, indent=1)


if __name__ == "__main__":
    main()
