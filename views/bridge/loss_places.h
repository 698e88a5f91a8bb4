// Where in a text the loss of changing one tensor comes from: the scored tokens with the largest divergence,
// with the words around them.
#pragma once

#include <QString>
#include <vector>

#include "views/document/snapshots.h"

namespace bitlens::views {

struct LossRequest {
  SessionPtr session;
  TokensPtr text;
  evaluate::Options options;
  quantize::Quantizer quantizer = quantize::Quantizer::Search;
  std::size_t tensor = 0;
  kernels::Format format = kernels::Format::Q4_0;
};

struct LossPlace {
  std::size_t window = 0, position = 0;
  double kl = 0;          ///< KL(base || changed) at this token, nats
  QString before, token;  ///< the words that lead there, and what the text says next
};

struct LossPlaces {
  double kl_mean = 0, kl_se = 0;  ///< over all scored tokens
  std::size_t tokens = 0;         ///< scored
  std::size_t half = 0;           ///< so few tokens together carry half of the divergence
  std::vector<double> windows;    ///< mean KL of each window
  std::vector<LossPlace> places;  ///< the largest first
};

/// Measures the model with this tensor alone changed, token by token.
[[nodiscard]] Result<LossPlaces> find_loss_places(const LossRequest& request, const WorkContext& work);

}  // namespace bitlens::views
