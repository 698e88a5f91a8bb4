#!/usr/bin/env bash
# The naive sweep with llama.cpp: one tensor at a time to Q4_0, the file written, the whole model evaluated.
#   peer_sweep.sh LLAMA_BIN_DIR MODEL_F32.gguf TEXT CONTEXT WINDOWS
set -euo pipefail
[ $# = 5 ] || { sed -n 2,3p "$0"; exit 2; }
bin=$1 model=$2 text=$3 context=$4 windows=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
evaluate=("$bin/llama-perplexity" -f "$text" -c "$context" --chunks "$windows" -t 2)
"${evaluate[@]}" -m "$model" --kl-divergence-base "$work/base.kld" >/dev/null 2>&1
tensors=(token_embd output)
for layer in 0 1 2 3 4; do
  for kind in attn_q attn_k attn_v attn_output ffn_gate ffn_up; do tensors+=("blk.$layer.$kind"); done
done
start=$(date +%s.%N)
for tensor in "${tensors[@]}"; do
  "$bin/llama-quantize" --tensor-type "^${tensor//./\\.}\\.weight=q4_0" --tensor-type '.*=f32' \
    "$model" "$work/one.gguf" Q4_0 2 >/dev/null 2>&1
  kld=$("${evaluate[@]}" -m "$work/one.gguf" --kl-divergence-base "$work/base.kld" --kl-divergence 2>&1 |
    awk '/^Mean +KLD/ {print $3}')
  echo "$tensor ${kld:-(the summary was lost: its log is not flushed at exit when the machine is busy)}"
done
echo "seconds for ${#tensors[@]} cells: $(echo "$(date +%s.%N) - $start" | bc)"
