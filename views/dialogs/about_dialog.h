// Program, version, licence.
#pragma once

class QWidget;

namespace bitlens::views {

void show_about(QWidget* parent);

}  // namespace bitlens::views
