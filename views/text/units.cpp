#include "views/text/units.h"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>
#include <algorithm>
#include <cmath>

#include "core/base/result.h"

namespace bitlens::views {

namespace {
struct Tr {
  Q_DECLARE_TR_FUNCTIONS(bitlens::views::Units)
};

QLocale locale() {
  return {};
}

/// Decimals that show `significant` digits of `value`.
int decimals_for(double value, int significant) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  return std::clamp(significant - 1 - exponent, 0, 12);
}

/// "5.3e-5": without the zeros and the sign that only take room.
QString power_text(double value, int significant) {
  const QString text = QString::number(value, 'e', significant - 1);
  const qsizetype at = text.indexOf(QLatin1Char('e'));
  return text.left(at).replace(QLatin1Char('.'), locale().decimalPoint()) + QLatin1Char('e') +
         QString::number(text.mid(at + 1).toInt());
}
}  // namespace

QString shown(std::string_view text, std::size_t limit) {
  return QString::fromStdString(printable(text, limit));
}

QString bytes_text(quint64 bytes) {
  static constexpr const char* units[] = {"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return Tr::tr("%n byte(s)", nullptr, static_cast<int>(bytes));
  double value = static_cast<double>(bytes) / 1000.0;
  std::size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(units)) {
    value /= 1000.0;
    ++unit;
  }
  return locale().toString(value, 'f', value < 10 ? 2 : 1) + QChar(0x00A0) + QLatin1String(units[unit]);
}

QString exact_bytes_text(quint64 bytes) {
  return Tr::tr("%1 bytes").arg(count_text(bytes));
}

QString bpw_text(double bits) {
  return locale().toString(bits, 'f', 2);
}

QString share_text(double share, int significant) {
  if (std::isnan(share)) return QStringLiteral("—");
  const double percent = share * 100.0;
  const int decimals = percent == 0 || std::abs(percent) >= 99.995
                           ? 0
                           : std::min(decimals_for(percent, significant), significant + 2);
  return locale().toString(percent, 'f', decimals) + QChar(0x00A0) + QLatin1Char('%');
}

QString number_text(double value, int significant) {
  if (std::isnan(value)) return QStringLiteral("—");
  if (std::isinf(value)) return value > 0 ? QStringLiteral("∞") : QStringLiteral("−∞");
  const double size = std::abs(value);
  if (size != 0 && (size < 1e-3 || size >= 1e7)) return power_text(value, significant);
  return locale().toString(value, 'f', decimals_for(value, significant));
}

QString short_number_text(double value, int significant) {
  const double size = std::abs(value);
  const bool plain = !std::isfinite(value) || value == 0 || (size >= 1e-3 && size < 1e5);
  return plain ? number_text(value, significant) : power_text(value, significant);
}

QString relative_error_text(double value, double error) {
  if (!std::isfinite(error) || value == 0) return {};
  const double percent = std::abs(error / value) * 100;
  if (percent > 999) return QStringLiteral("±>999%");
  return QStringLiteral("±%1%").arg(locale().toString(percent, 'f', percent < 0.95 ? 1 : 0));
}

QString count_text(quint64 count) {
  return locale().toString(count);
}

QString value_text(double value, double error) {
  if (!std::isfinite(error) || error <= 0) return number_text(value, 5);
  const double size = std::abs(value);
  if (size != 0 && size < 1e-3) return Tr::tr("%1 ± %2").arg(power_text(value, 3), power_text(error, 2));
  const int decimals = std::clamp(decimals_for(error, 2), 2, 8);
  return Tr::tr("%1 ± %2").arg(locale().toString(value, 'f', decimals),
                               locale().toString(error, 'f', decimals));
}

QString duration_text(double seconds) {
  const long long total = std::llround(std::max(0.0, seconds));
  const auto two = [](long long n) { return QStringLiteral("%1").arg(n, 2, 10, QLatin1Char('0')); };
  if (total >= 3600)
    return QStringLiteral("%1:%2:%3").arg(total / 3600).arg(two(total / 60 % 60), two(total % 60));
  return QStringLiteral("%1:%2").arg(two(total / 60), two(total % 60));
}

QString shape_text(const std::vector<std::uint64_t>& shape) {
  QStringList parts;
  for (const std::uint64_t n : shape) parts << count_text(n);
  return parts.join(QStringLiteral(" × "));
}

}  // namespace bitlens::views
