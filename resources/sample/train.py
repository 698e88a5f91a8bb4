#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the sample model: writes the text, the vocabulary, the weights.

    python3 resources/sample/train.py --out build/sample            (CPU, about two hours on two cores)
    python3 resources/sample/train.py --device cuda --out build/sample

Stopped and started again with the same --out it goes on from the last checkpoint. The same seed gives the same text, vocabulary,
first weights and batches everywhere; sums of floats differ between devices, thread counts and PyTorch versions, so
the trained weights agree in quality, not in bits.
"""
import argparse
import json
import math
import os
import random
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import world
from bpe import Bpe
from model import BOS, EOS, Llama, Shape, save_gguf, save_safetensors


def prepare(folder, args):
    """Tokenizer, training tokens (uint16) and the positions where texts begin; made once, then read back."""
    names = [os.path.join(folder, n) for n in ("merges.json", "tokens.npy", "starts.npy")]
    if not all(map(os.path.exists, names)):
        text = world.write_text("train", args.seed, args.text_bytes)
        bpe = Bpe.train(text[:args.bpe_bytes], args.vocab, [BOS, EOS])
        tokens, starts = [], []
        for paragraph in text.rstrip("\n").split("\n\n"):
            starts.append(len(tokens))
            tokens += bpe.encode(paragraph) + bpe.encode("\n\n")
        with open(names[0], "w") as file:
            json.dump(bpe.merges, file)
        np.save(names[1], np.array(tokens, np.uint16))
        np.save(names[2], np.array(starts, np.int64))
    with open(names[0]) as file:
        bpe = Bpe([BOS, EOS], json.load(file))
    return bpe, np.load(names[1]), np.load(names[2])


def batch(tokens, starts, bos, step, args):
    """Windows of one step, a function of seed and step alone: half begin at a text, half anywhere; BOS goes before."""
    rng = random.Random(f"{args.seed}/{step}")
    rows = []
    for i in range(args.batch):
        at = int(starts[rng.randrange(len(starts))]) if i % 2 else rng.randrange(len(tokens))
        rows.append(tokens[min(at, len(tokens) - args.window):][:args.window].astype(np.int64))
    targets = torch.from_numpy(np.stack(rows))
    return torch.cat((torch.full((args.batch, 1), bos), targets[:, :-1]), 1), targets


class Muon:
    """Momentum whose update is orthogonalised by Newton-Schulz steps (K. Jordan et al., 2024), for the inner matrices."""

    def __init__(self, weights, momentum=0.95):
        self.weights, self.momentum = weights, momentum
        self.state = [torch.zeros_like(w) for w in weights]

    @staticmethod
    def orthogonal(g):
        """(count, rows, columns) -> nearest half-orthogonal matrices, roughly."""
        tall = g.shape[1] > g.shape[2]
        x = g.transpose(1, 2) if tall else g
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
            updates = self.orthogonal(torch.stack([u for _, u in members])) * max(1.0, rows / columns) ** 0.5
            for (w, _), u in zip(members, updates):
                w.mul_(1 - rate * 0.05).sub_(u, alpha=rate)


def schedule(step, args):
    """Linear warm-up, flat, cosine to zero over the last part."""
    warm = min(1.0, (step + 1) / args.warmup)
    left = (args.steps - step) / (args.steps * args.decay)
    return warm * (1.0 if left >= 1 else 0.5 - 0.5 * math.cos(math.pi * left))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", required=True, help="folder of the results")
    parser.add_argument("--work", help="folder of tokens and checkpoints (default: --out)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=2200)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--late-window", type=int, default=512, help="window of the last quarter of the steps, at the same tokens a step")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--vocab", type=int, default=1536)
    parser.add_argument("--text-bytes", type=int, default=28_000_000)
    parser.add_argument("--bpe-bytes", type=int, default=4_000_000)
    parser.add_argument("--rate", type=float, default=0.014, help="of the inner matrices")
    parser.add_argument("--adam-rate", type=float, default=0.002, help="of embedding, output and norms")
    parser.add_argument("--warmup", type=int, default=60)
    parser.add_argument("--decay", type=float, default=0.7, help="share of the steps over which the rate falls")
    parser.add_argument("--checkpoint", type=int, default=250)
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

    bpe, tokens, starts = prepare(args.work, args)
    print(f"{len(tokens)} training tokens, {len(starts)} texts, {len(bpe.tokens)} vocabulary, {time.time() - begun:.0f} s", flush=True)
    model = Llama(Shape(vocab=len(bpe.tokens), layers=args.layers), args.seed).to(args.device)
    weights = dict(zip(model.weights, model.parameters()))
    inner = [w for n, w in weights.items() if n.startswith("blk.") and w.dim() == 2]
    outer = [w for n, w in weights.items() if not (n.startswith("blk.") and w.dim() == 2)]
    muon = Muon(inner)
    adam = torch.optim.AdamW(outer, lr=args.adam_rate, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0)
    print(f"{sum(w.numel() for w in weights.values())} weights", flush=True)

    first, curve, saved = 0, [], os.path.join(args.work, "checkpoint.pt")
    if os.path.exists(saved):
        state = torch.load(saved, map_location=args.device)
        model.load_state_dict(state["model"])
        adam.load_state_dict(state["adam"])
        muon.state = [m.to(args.device) for m in state["muon"]]
        first, curve = state["step"], state["curve"]
        print(f"going on from step {first}", flush=True)

    base_batch, base_window = args.batch, args.window
    running, started = 0.0, time.time()
    for step in range(first, args.steps):
        late = step >= args.steps * 3 // 4
        args.window = args.late_window if late else base_window
        args.batch = base_batch * base_window // args.late_window if late else base_batch
        inputs, targets = batch(tokens, starts, bpe.ids[BOS], step, args)
        logits = model(inputs.to(args.device))
        loss = F.cross_entropy(logits.flatten(0, 1), targets.to(args.device).flatten())
        for w in weights.values():
            w.grad = None
        loss.backward()
        factor = schedule(step, args)
        torch.nn.utils.clip_grad_norm_(outer, 1.0)
        for group in adam.param_groups:
            group["lr"] = args.adam_rate * factor
        adam.step()
        muon.step(args.rate * factor)
        running = running + loss.detach()
        if (step + 1) % 50 == 0 or step + 1 == args.steps:
            mean = float(running) / (step % 50 + 1)
            if not math.isfinite(mean):
                sys.exit(f"step {step + 1}: the loss is {mean}")
            rate = (step + 1 - first) / (time.time() - started)
            curve.append((step + 1, round(mean, 4)))
            print(f"step {step + 1} loss {mean:.4f} {rate:.2f} steps/s {rate * base_batch * base_window:.0f} tokens/s", flush=True)
            running = 0.0
        out_of_time = args.seconds and time.time() - begun > args.seconds
        if (step + 1) % args.checkpoint == 0 or out_of_time:
            torch.save({"model": model.state_dict(), "adam": adam.state_dict(), "muon": muon.state, "step": step + 1,
                        "curve": curve}, saved + ".part")
            os.replace(saved + ".part", saved)
            if out_of_time:
                print(f"stopped after step {step + 1}; start again to go on")
                return
    save_gguf(os.path.join(args.out, "sample-f16.gguf"), model, bpe)
    save_safetensors(args.work, model, bpe)
    with open(os.path.join(args.out, "curve.json"), "w") as file:
        settings = {k: v for k, v in vars(args).items() if k not in ("out", "work", "threads", "seconds", "batch", "window")}
        json.dump({"settings": {**settings, "batch": base_batch, "window": base_window, "torch": torch.__version__},
                   "seconds": round(time.time() - begun), "loss": curve}, file, indent=1)


if __name__ == "__main__":
    main()
