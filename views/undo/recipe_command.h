// One named edit of the recipe on the undo stack. A Recipe is small, so both states are kept whole.
#pragma once

#include <QUndoCommand>
#include <functional>

#include "core/quantize/recipe.h"

namespace bitlens::views {

class RecipeCommand : public QUndoCommand {
 public:
  using Apply = std::function<void(const quantize::Recipe&)>;
  RecipeCommand(quantize::Recipe before, quantize::Recipe after, const QString& name, Apply apply);
  void undo() override { apply_(before_); }
  void redo() override { apply_(after_); }

 private:
  quantize::Recipe before_, after_;
  Apply apply_;
};

}  // namespace bitlens::views
