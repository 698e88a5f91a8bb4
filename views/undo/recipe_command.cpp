#include "views/undo/recipe_command.h"

#include <utility>

namespace bitlens::views {

RecipeCommand::RecipeCommand(quantize::Recipe before, quantize::Recipe after, const QString& name,
                             Apply apply)
    : QUndoCommand(name), before_(std::move(before)), after_(std::move(after)), apply_(std::move(apply)) {}

}  // namespace bitlens::views
