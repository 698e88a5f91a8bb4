# SPDX-License-Identifier: GPL-3.0-or-later
"""The llama decoder as a PyTorch module, and its way to and from GGUF and safetensors.

Tensor names and shapes are GGUF's; a weight has shape (outputs, inputs). Rotary embedding turns the pairs (2i, 2i+1) of
each head, GGUF's order for this architecture, so nothing is permuted for GGUF; the safetensors file follows the
Hugging Face layout, which pairs i with i + head/2, and is permuted accordingly.
"""
import dataclasses
import json
import math
import os

import numpy as np
import torch
import torch.nn.functional as F

import gguf
from bpe import Bpe

BOS, EOS = "<|begin|>", "<|end|>"


@dataclasses.dataclass
class Shape:
    vocab: int = 1536
    width: int = 256
    ffn: int = 512
    layers: int = 8
    heads: int = 4
    kv_heads: int = 2
    context: int = 512
    rope_base: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self):
        return self.width // self.heads


class Ops:
    """What stands between the matrix products. `fused` compiles each into one loop over memory (needs a C++ compiler)."""

    def __init__(self, fused=False):
        for f in (self.add_norm, self.rotate, self.attend, self.swiglu, self.token_loss):
            if fused:
                setattr(self, f.__name__, torch.compile(f, dynamic=False))

    @staticmethod
    def add_norm(x, delta, weight, epsilon, dtype):
        if delta is not None:
            x = x + delta
        return x, (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + epsilon) * weight).to(dtype)

    @staticmethod
    def rotate(x, cos, sin):
        a, b = x.to(cos.dtype).chunk(2, -1)
        return torch.cat((a * cos - b * sin, a * sin + b * cos), -1).to(x.dtype)

    @staticmethod
    def attend(scores, future, scale):
        return torch.softmax(scores.to(future.dtype) * scale + future, -1).to(scores.dtype)

    @staticmethod
    def swiglu(gate, up):
        return F.silu(gate) * up

    @staticmethod
    def token_loss(logits, targets):
        return F.cross_entropy(logits.float(), targets, reduction="none")


class Llama(torch.nn.Module):
    def __init__(self, shape, seed=0):
        super().__init__()
        self.shape, self.ops, self.compute = shape, Ops(), None
        s, g = shape, torch.Generator().manual_seed(seed)
        self.weights = {}

        def matrix(name, rows, columns, std):
            self.weights[name] = torch.nn.Parameter(torch.randn(rows, columns, generator=g) * std)

        matrix("token_embd.weight", s.vocab, s.width, 0.25)
        near = s.width ** -0.5
        for i in range(s.layers):
            blk = f"blk.{i}."
            self.weights[blk + "attn_norm.weight"] = torch.nn.Parameter(torch.ones(s.width))
            matrix(blk + "attn_q.weight", s.width, s.width, near)
            matrix(blk + "attn_k.weight", s.kv_heads * s.head, s.width, near)
            matrix(blk + "attn_v.weight", s.kv_heads * s.head, s.width, near)
            matrix(blk + "attn_output.weight", s.width, s.width, near * (2 * s.layers) ** -0.5)
            self.weights[blk + "ffn_norm.weight"] = torch.nn.Parameter(torch.ones(s.width))
            matrix(blk + "ffn_gate.weight", s.ffn, s.width, near)
            matrix(blk + "ffn_up.weight", s.ffn, s.width, near)
            matrix(blk + "ffn_down.weight", s.width, s.ffn, s.ffn ** -0.5 * (2 * s.layers) ** -0.5)
        self.weights["output_norm.weight"] = torch.nn.Parameter(torch.ones(s.width))
        matrix("output.weight", s.vocab, s.width, 0.5 * near)
        for name, weight in self.weights.items():
            self.register_parameter(name.replace(".", "_"), weight)

    @torch.no_grad()
    def begin_with_recall(self, seed=0):
        """Starts some heads as what recalling needs, which millions of tokens would have to bring about otherwise.

        Training moves them like every other weight. One dimension of the stream is a constant, so that queries and keys can be
        constants too: turned by one position (two, for the second head) against each other they look at the token before (the one before
        that) and hand on which it was. In the two layers after it, heads look for places whose token before was today's token and copy
        what stands there: induction heads (Olsson et al., 2022). Only slowly turning pairs take part in the search, so distance hardly counts.
        """
        s, g = self.shape, torch.Generator().manual_seed(seed)
        weight = lambda name: getattr(self, name.replace(".", "_") + "_weight")
        head, constant, sharp, turning, fixed = s.head, 0, 1.4, 8, 20

        def orthogonal(rows):  # rows of length 1 at right angles that do not see the constant
            square = torch.linalg.qr(torch.randn(s.width - 1, s.width - 1, generator=g))[0]
            return F.pad(square[:rows], (1, 0))

        weight("token_embd")[:, constant] = 1.0
        weight("output").copy_(weight("token_embd") * s.width ** -0.5 * 2)
        weight("output")[:, constant] = 0
        angle = s.rope_base ** (-torch.arange(0, head, 2, dtype=torch.float64) / head)
        query, key, value, output = (weight(f"blk.0.attn_{n}") for n in ("q", "k", "v", "output"))
        query[:2 * head] *= 0.1
        key[:head] *= 0.1
        value[:head] = orthogonal(head)
        before = orthogonal(2 * head)
        output[:, :2 * head] = before.T
        for pair in range(turning):
            key[2 * pair, constant] = sharp
            for h in range(2):
                query[h * head + 2 * pair, constant] = sharp * math.cos((h + 1) * angle[pair])
                query[h * head + 2 * pair + 1, constant] = -sharp * math.sin((h + 1) * angle[pair])
        group = s.heads // s.kv_heads
        for i in (1, 2):
            query, key, read, write = (weight(f"blk.{i}.attn_{n}") for n in ("q", "k", "v", "output"))
            for kv in range(2):
                h, rows = group * kv, slice(kv * head, (kv + 1) * head)
                key[rows] *= 0.1
                key[rows][fixed:] += 1.2 * before[rows][fixed:]
                query[h * head:(h + 1) * head] *= 0.1
                query[h * head + fixed:(h + 1) * head] += 1.2 * value[fixed:head]
                read[rows] = orthogonal(head)
                write[:, h * head:(h + 1) * head] = 0.5 * read[rows].T

    def rotary(self, length, device, dtype):
        """Cosines and sines of shape (length, head / 2), computed in double precision."""
        s = self.shape
        angle = torch.arange(length, dtype=torch.float64)[:, None] * s.rope_base ** (
            -torch.arange(0, s.head, 2, dtype=torch.float64)[None, :] / s.head)
        return angle.cos().to(device, dtype), angle.sin().to(device, dtype)

    def forward(self, tokens):
        """tokens (batch, length) -> logits (batch, length, vocab), in the precision of `self.compute`.

        With bfloat16 the matrices and what they multiply are rounded to it; sums along the layers, norms and softmax stay
        float32. The weights themselves are never rounded.
        """
        s, ops = self.shape, self.ops
        named = {n: getattr(self, n.replace(".", "_")) for n in self.weights}
        compute = self.compute or named["output.weight"].dtype
        named = {n: w.to(compute) if w.dim() == 2 else w for n, w in named.items()}
        batch, length = tokens.shape
        cos, sin = self.rotary(length, tokens.device, named["output_norm.weight"].dtype)
        future = torch.full((length, length), float("-inf"), device=tokens.device, dtype=cos.dtype).triu(1)
        group = s.heads // s.kv_heads
        x, delta = F.embedding(tokens, named["token_embd.weight"]).to(cos.dtype), None
        for i in range(s.layers):
            w = {n[len(f"blk.{i}."):-len(".weight")]: t for n, t in named.items() if n.startswith(f"blk.{i}.")}
            x, h = ops.add_norm(x, delta, w["attn_norm"], s.epsilon, compute)
            q = ops.rotate(F.linear(h, self.apart(w["attn_q"], s.heads)).view(batch, length, s.heads, s.head).transpose(1, 2), cos, sin)
            k = ops.rotate(F.linear(h, self.apart(w["attn_k"], s.kv_heads)).view(batch, length, s.kv_heads, s.head).transpose(1, 2), cos, sin)
            v = F.linear(h, w["attn_v"]).view(batch, length, s.kv_heads, s.head).transpose(1, 2)
            # The queries of a group share keys and values, so they are one taller matrix.
            scores = q.reshape(-1, group * length, s.head) @ k.reshape(-1, length, s.head).transpose(1, 2)
            scores = ops.attend(scores.view(-1, group, length, length), future, s.head ** -0.5)
            mixed = scores.view(-1, group * length, length) @ v.reshape(-1, length, s.head)
            delta = F.linear(mixed.view(batch, s.heads, length, s.head).transpose(1, 2).reshape(batch, length, s.width), w["attn_output"])
            x, h = ops.add_norm(x, delta, w["ffn_norm"], s.epsilon, compute)
            delta = F.linear(ops.swiglu(F.linear(h, w["ffn_gate"]), F.linear(h, w["ffn_up"])), w["ffn_down"])
        x, h = ops.add_norm(x, delta, named["output_norm.weight"], s.epsilon, compute)
        return F.linear(h, named["output.weight"])

    def apart(self, weight, heads):
        """Rows reordered so that the two of a rotated pair lie half a head apart; q * k does not change."""
        return weight.view(heads, self.shape.head // 2, 2, -1).transpose(1, 2).reshape(weight.shape)

    def arrays(self):
        """name -> numpy array as stored: matrices F16, norms F32."""
        return {n: getattr(self, n.replace(".", "_")).detach().cpu().numpy().astype(np.float16 if w.dim() == 2 else np.float32)
                for n, w in self.weights.items()}


def save_gguf(path, model, bpe):
    s = model.shape
    metadata = {
        "general.architecture": "llama", "general.type": "model", "general.name": "Bitlens sample", "general.author": "The Bitlens authors",
        "general.description": "A small decoder trained on the synthetic world of resources/sample", "general.license": "cc0-1.0",
        "general.size_label": f"{sum(w.numel() for w in model.weights.values()) / 1e6:.1f}M", "general.languages": gguf.Strings(["en"]),
        "general.file_type": 1, "general.quantization_version": 2,
        "llama.block_count": s.layers, "llama.context_length": s.context, "llama.embedding_length": s.width,
        "llama.feed_forward_length": s.ffn, "llama.attention.head_count": s.heads, "llama.attention.head_count_kv": s.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": s.epsilon, "llama.rope.freq_base": s.rope_base,
        "llama.rope.dimension_count": s.head, "llama.vocab_size": s.vocab,
        "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.tokens": gguf.Strings(bpe.tokens),
        "tokenizer.ggml.token_type": gguf.Ints([3] * len(bpe.specials) + [1] * (len(bpe.tokens) - len(bpe.specials))),
        "tokenizer.ggml.merges": gguf.Strings(f"{a} {b}" for a, b in bpe.merges),
        "tokenizer.ggml.bos_token_id": bpe.ids[BOS], "tokenizer.ggml.eos_token_id": bpe.ids[EOS],
        "tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.add_eos_token": False, "tokenizer.ggml.add_space_prefix": False}
    gguf.write_gguf(path, metadata, model.arrays())


def load_gguf(path):
    """(model in f32, tokenizer, metadata) of a file save_gguf wrote."""
    metadata, tensors = gguf.read_gguf(path)
    key = lambda name: metadata["llama." + name]
    model = Llama(Shape(key("vocab_size"), key("embedding_length"), key("feed_forward_length"), key("block_count"),
                        key("attention.head_count"), key("attention.head_count_kv"), key("context_length"),
                        key("rope.freq_base"), float(np.float32(key("attention.layer_norm_rms_epsilon")))))
    with torch.no_grad():
        for name in model.weights:
            getattr(model, name.replace(".", "_")).copy_(torch.from_numpy(tensors[name].astype(np.float32)))
    kinds = metadata["tokenizer.ggml.token_type"]
    specials = [t for t, k in zip(metadata["tokenizer.ggml.tokens"], kinds) if k == 3]
    return model, Bpe(specials, [m.split(" ") for m in metadata["tokenizer.ggml.merges"]]), metadata


def save_safetensors(folder, model, bpe):
    """model.safetensors and config.json in the Hugging Face layout (LlamaForCausalLM)."""
    s, arrays, out = model.shape, model.arrays(), {}

    def halves(array, heads):  # row 2i of a head goes to row i, row 2i + 1 to row i + head / 2
        return array.reshape(heads, s.head // 2, 2, -1).swapaxes(1, 2).reshape(array.shape)

    for name, array in arrays.items():
        part = name.split(".")
        if part[0] == "blk":
            where = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
                     "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
                     "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}[part[2]]
            if part[2] in ("attn_q", "attn_k"):
                array = halves(array, s.heads if part[2] == "attn_q" else s.kv_heads)
            out[f"model.layers.{part[1]}.{where}.weight"] = array
        else:
            out[{"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}[part[0]] + ".weight"] = array
    gguf.write_safetensors(os.path.join(folder, "model.safetensors"), out, {"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": s.width, "intermediate_size": s.ffn,
                   "num_hidden_layers": s.layers, "num_attention_heads": s.heads, "num_key_value_heads": s.kv_heads,
                   "rms_norm_eps": s.epsilon, "rope_theta": s.rope_base, "max_position_embeddings": s.context, "vocab_size": s.vocab,
                   "hidden_act": "silu", "tie_word_embeddings": False, "attention_bias": False, "torch_dtype": "float16",
                   "bos_token_id": bpe.ids[BOS], "eos_token_id": bpe.ids[EOS]}, file, indent=2)
