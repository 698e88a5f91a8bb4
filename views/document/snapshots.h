// Names for the immutable values that travel from the engine to the window.
#pragma once

#include <memory>

#include "core/study/session.h"
#include "core/study/study.h"

namespace bitlens::views {

using SessionPtr = std::shared_ptr<const study::ModelSession>;
using TextPtr = std::shared_ptr<const study::Text>;
using TokensPtr = std::shared_ptr<const study::TokenizedText>;
using ResolvedPtr = std::shared_ptr<const quantize::ResolvedRecipe>;
using SweepPtr = std::shared_ptr<const study::SensitivityResult>;

}  // namespace bitlens::views
