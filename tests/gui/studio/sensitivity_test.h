// A window with a model and a text, ready for a sensitivity run, and what the engine says when asked
// directly.
#pragma once

#include "tests/gui/studio/studio_test.h"

namespace bitlens::test {

inline constexpr std::uint32_t kSweepContext = 32;

[[nodiscard]] study::SweepPlan small_plan();
/// A window on the small model with a text, ready for a run.
[[nodiscard]] bool make_ready(Studio& studio, const QString& model, const QString& text,
                              const study::SweepPlan& plan);
[[nodiscard]] bool wait_done(Studio& studio);
[[nodiscard]] const study::SensitivityResult* result_of(
    const views::Sensitivity& known, sensitivity::Method method,
    sensitivity::Grouping grouping = sensitivity::Grouping::Tensor);
/// What the engine gives when asked directly.
[[nodiscard]] Result<study::SensitivityResult> by_the_engine(const QString& model, const QString& text,
                                                             sensitivity::Method method,
                                                             const study::SweepPlan& plan,
                                                             const quantize::ImportancePtr& importance = {});
[[nodiscard]] bool same_cells(const study::SensitivityResult& a, const study::SensitivityResult& b);

}  // namespace bitlens::test
