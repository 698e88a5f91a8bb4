// A run's journal: the records of its cells, and of the predictions that come before them, under a key that
// says what they depend on.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/sensitivity/journal.h"
#include "core/study/sensitivity.h"

namespace bitlens::study {

class RunJournal {
 public:
  /// `head`: the run's result without its cells. `found`: what the journal holds, in order.
  [[nodiscard]] static Result<RunJournal> open(const SensitivityRequest& request,
                                               const SensitivityResult& head, std::size_t sampled_windows,
                                               std::vector<sensitivity::CellRecord>& found);
  [[nodiscard]] Status append(std::span<const sensitivity::CellRecord> records);
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] std::size_t damaged() const { return damaged_; }

 private:
  RunJournal(sensitivity::Journal file, std::string key, std::size_t damaged)
      : file_(std::move(file)), key_(std::move(key)), damaged_(damaged) {}

  sensitivity::Journal file_;
  std::string key_;
  std::size_t damaged_ = 0;
};

}  // namespace bitlens::study
