// A read-only window into the studio for tests that drive it from outside with real mouse and key events.
//
// With the environment variable BITLENS_TEST_PROBE=<path> the window writes a JSON file there, anew
// (atomically) whenever what it says changes, at most ten times a second. Without the variable nothing of
// this exists. It never changes what the studio does. Rectangles are [x, y, width, height] in device pixels
// of the whole screen, as xdotool wants them; what is scrolled out of sight has "visible": false.
//
// {
//   "title": "...", "window": rect, "state": "empty" | "opening" | "ready" | "failed", "device_pixel_ratio":
//   1, "idle": true,                      // no job waits or runs "jobs": ["measure", ...], "chips":
//   [{"name": "Q4_0" | "as in file", "key": 1, "rect": rect, "visible": true}], "cells": [{"tensor":
//   "blk.0.attn_q.weight", "format": "F32", "source": "F32", "rect": rect, "visible": true,
//              "selected": false}],
//   "rows": [{"title": "0", "rect": rect, "visible": true}], "columns": [...],
//   "tree": [{"tensor": "...", "rect": rect}],       // rows of the tree now on screen
//   "buttons": {"<object name>": {"rect": rect, "enabled": true, "text": "..."}},   // of the active window
//   "fields": {"<object name>": {"rect": rect, "enabled": true, "text": "..."}},    // line edits, spin and
//   combo boxes "dialog": "exportDialog" | "", "message": "...",                  // the notice on screen
//   "recipe": {...},                   // as in a recipe file
//   "sizes": {"file_bytes": 0, "bits_per_weight": 0, "preview_file_bytes": 0},
//   "results": [{"name": "...", "ppl": 0, "ppl_se": 0, "kl_mean": 0, "kl_se": 0, "file_bytes": 0, "recipe":
//   true}], "selection": ["blk.0.attn_q.weight"]
// }
#pragma once

#include <QMainWindow>
#include <QObject>
#include <QTimer>
#include <memory>

namespace bitlens::views {

class Document;

class Probe : public QObject {
  Q_OBJECT
 public:
  /// Null unless BITLENS_TEST_PROBE is set.
  [[nodiscard]] static std::unique_ptr<Probe> from_environment(QMainWindow& window, Document& document);
  Probe(QMainWindow& window, Document& document, QString path);

  /// What would be written now.
  [[nodiscard]] QByteArray snapshot() const;

 private:
  void write();

  QMainWindow& window_;
  Document& document_;
  QString path_;
  QByteArray last_;
  QTimer timer_;
};

}  // namespace bitlens::views
