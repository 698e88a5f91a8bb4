// A small report with every kind of content, made of invented numbers.
#pragma once

#include "core/report/report.h"

[[nodiscard]] bitlens::report::ReportInput sample_report();
